package controlplane

import (
	"encoding/base64"
	"os"

	"coldstorage.local/lab/k3s/internal/node"
)

// kubeconfig names the files of a certificate.
func (s *Server) kubeconfig(certificate string) []byte {
	return node.Kubeconfig("https://127.0.0.1:"+s.port(),
		map[string]string{"certificate-authority": s.cluster.Path("server-ca.crt")},
		map[string]string{
			"client-certificate": s.cluster.Path(certificate + ".crt"),
			"client-key":         s.cluster.Path(certificate + ".key"),
		})
}

// administrator has everything in itself, so that it can be carried elsewhere.
func (s *Server) administrator() []byte {
	inside := func(file string) string {
		content, _ := os.ReadFile(s.cluster.Path(file)) // issued a moment ago
		return base64.StdEncoding.EncodeToString(content)
	}
	return node.Kubeconfig("https://127.0.0.1:"+s.port(),
		map[string]string{"certificate-authority-data": inside("server-ca.crt")},
		map[string]string{
			"client-certificate-data": inside("client-admin.crt"),
			"client-key-data":         inside("client-admin.key"),
		})
}
