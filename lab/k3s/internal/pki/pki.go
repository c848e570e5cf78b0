// Package pki makes keys and certificates under K3s's file names, and keeps those that are good.
package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"
)

const (
	authorityLife = 10 * 365 * 24 * time.Hour
	leafLife      = 365 * 24 * time.Hour
	renewBefore   = 120 * 24 * time.Hour // as K3s does, at a start
)

// Authority signs certificates.
type Authority struct {
	// PEM is its certificate, with those that it hangs on.
	PEM         []byte
	certificate *x509.Certificate
	key         crypto.Signer
}

// Leaf is a certificate to be: whom it names, and for what.
type Leaf struct {
	CommonName string
	Groups     []string
	Usage      []x509.ExtKeyUsage
	// Names are the host names and addresses of a server.
	Names []string
}

// LoadAuthority returns the authority of base.crt and base.key, made if neither is there.
func LoadAuthority(base, commonName string) (*Authority, error) {
	certificate, errC := os.ReadFile(base + ".crt")
	key, errK := os.ReadFile(base + ".key")
	if errors.Is(errC, fs.ErrNotExist) && errors.Is(errK, fs.ErrNotExist) {
		return makeAuthority(base, commonName)
	}
	if err := errors.Join(errC, errK); err != nil {
		return nil, fmt.Errorf("an authority needs its certificate and its key: %w", err)
	}
	return ParseAuthority(certificate, key, base)
}

// ParseAuthority reads an authority; place is named when it is wrong.
func ParseAuthority(certificate, key []byte, place string) (*Authority, error) {
	parsed, err := parseCertificate(certificate)
	if err != nil {
		return nil, fmt.Errorf("%s.crt: %w", place, err)
	}
	signer, err := parseKey(key)
	if err != nil {
		return nil, fmt.Errorf("%s.key: %w", place, err)
	}
	public, ok := parsed.PublicKey.(interface{ Equal(crypto.PublicKey) bool })
	if !parsed.IsCA || !ok || !public.Equal(signer.Public()) {
		return nil, fmt.Errorf("%s.crt: expected the certificate of an authority whose key is in %s.key",
			place, filepath.Base(place))
	}
	return &Authority{PEM: certificate, certificate: parsed, key: signer}, nil
}

func makeAuthority(base, commonName string) (*Authority, error) {
	key, err := Key(base + ".key")
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber:          serial(),
		Subject:               pkix.Name{CommonName: fmt.Sprintf("%s@%d", commonName, time.Now().Unix())},
		NotBefore:             time.Now().Add(-time.Minute),
		NotAfter:              time.Now().Add(authorityLife),
		KeyUsage:              x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment | x509.KeyUsageCertSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, err
	}
	if err := Write(base+".crt", encode(der), 0o644); err != nil {
		return nil, err
	}
	return LoadAuthority(base, commonName)
}

// Sign returns a certificate for a public key, followed by the authority's own.
func (a *Authority) Sign(public crypto.PublicKey, leaf Leaf) ([]byte, error) {
	template := &x509.Certificate{
		SerialNumber: serial(),
		Subject:      pkix.Name{CommonName: leaf.CommonName, Organization: leaf.Groups},
		NotBefore:    time.Now().Add(-time.Minute),
		NotAfter:     time.Now().Add(leafLife),
		KeyUsage:     x509.KeyUsageDigitalSignature | x509.KeyUsageKeyEncipherment,
		ExtKeyUsage:  leaf.Usage,
	}
	for _, name := range leaf.Names {
		if address := net.ParseIP(name); address != nil {
			template.IPAddresses = append(template.IPAddresses, address)
		} else {
			template.DNSNames = append(template.DNSNames, name)
		}
	}
	if template.NotAfter.After(a.certificate.NotAfter) {
		template.NotAfter = a.certificate.NotAfter
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.certificate, public, a.key)
	return append(encode(der), a.PEM...), err
}

// Issue has a certificate and its key at base.crt and base.key, made anew only if need be.
func (a *Authority) Issue(base string, leaf Leaf) error {
	key, err := Key(base + ".key")
	if err != nil {
		return err
	}
	if old, err := os.ReadFile(base + ".crt"); err == nil && a.good(old, key, leaf) {
		return nil
	}
	certificate, err := a.Sign(key.Public(), leaf)
	if err != nil {
		return err
	}
	return Write(base+".crt", certificate, 0o644)
}

func (a *Authority) good(old []byte, key crypto.Signer, leaf Leaf) bool {
	certificate, err := parseCertificate(old)
	if err != nil || certificate.CheckSignatureFrom(a.certificate) != nil {
		return false
	}
	for _, name := range leaf.Names {
		if certificate.VerifyHostname(name) != nil {
			return false
		}
	}
	public, ok := key.Public().(interface{ Equal(crypto.PublicKey) bool })
	return ok && public.Equal(certificate.PublicKey) &&
		certificate.Subject.CommonName == leaf.CommonName &&
		time.Now().Before(certificate.NotAfter.Add(-renewBefore))
}

// Key returns the private key of a file, made if there is none.
func Key(path string) (crypto.Signer, error) {
	text, err := os.ReadFile(path)
	if err == nil {
		return parseKey(text)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return nil, err
	}
	return key, Write(path, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}), 0o600)
}

// ServiceKey has the key that service accounts' tokens are signed with.
func ServiceKey(path string) error {
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err
	}
	block := &pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}
	return Write(path, pem.EncodeToMemory(block), 0o600)
}

// Write writes a file by a rename, whole or not at all.
func Write(path string, content []byte, mode os.FileMode) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	fresh := path + ".new"
	_ = os.Remove(fresh)
	if err := os.WriteFile(fresh, content, mode); err != nil {
		return err
	}
	if err := os.Chmod(fresh, mode); err != nil { // whatever the umask is
		return err
	}
	return os.Rename(fresh, path)
}

func encode(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

func serial() *big.Int {
	number, _ := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127)) // never fails
	return number
}

func parseCertificate(text []byte) (*x509.Certificate, error) {
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, errors.New("expected a certificate in PEM")
	}
	return x509.ParseCertificate(block.Bytes)
}

func parseKey(text []byte) (crypto.Signer, error) {
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if key, err := x509.ParseECPrivateKey(block.Bytes); err == nil {
			return key, nil
		}
		if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
			return key, nil
		}
		if key, err := x509.ParsePKCS8PrivateKey(block.Bytes); err == nil {
			if signer, ok := key.(crypto.Signer); ok {
				return signer, nil
			}
		}
	}
	return nil, errors.New("expected a private key (EC, RSA or PKCS 8) in PEM")
}
