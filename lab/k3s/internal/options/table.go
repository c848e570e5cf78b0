package options

type kind int

const (
	text kind = iota
	onOff
	list
)

// option is one of K3s's own, by K3s's name.
type option struct {
	kind  kind
	who   string // "s" for servers, "a" for agents, "n" for etcd-snapshot
	value string // what it is if nobody says
	env   string
}

// DataDir is where everything lies that a node keeps.
const DataDir = "/var/lib/rancher/k3s"

var known = map[string]option{
	"data-dir":  {text, "san", DataDir, "K3S_DATA_DIR"},
	"debug":     {onOff, "san", "", "K3S_DEBUG"},
	"token":     {text, "sa", "", "K3S_TOKEN"},
	"server":    {text, "sa", "", "K3S_URL"},
	"node-name": {text, "san", "", "K3S_NODE_NAME"},
	"node-ip":   {text, "sa", "", ""},

	"token-file":                 {text, "sa", "", "K3S_TOKEN_FILE"},
	"agent-token":                {text, "s", "", "K3S_AGENT_TOKEN"},
	"agent-token-file":           {text, "s", "", "K3S_AGENT_TOKEN_FILE"},
	"cluster-init":               {onOff, "s", "", "K3S_CLUSTER_INIT"},
	"cluster-reset":              {onOff, "s", "", "K3S_CLUSTER_RESET"},
	"cluster-reset-restore-path": {text, "s", "", ""},
	"tls-san":                    {list, "s", "", ""},
	"advertise-address":          {text, "s", "", ""},
	"https-listen-port":          {text, "s", "6443", ""},
	"cluster-cidr":               {text, "s", "10.42.0.0/16", ""},
	"service-cidr":               {text, "s", "10.43.0.0/16", ""},
	"service-node-port-range":    {text, "s", "30000-32767", ""},
	"cluster-dns":                {text, "s", "10.43.0.10", ""},
	"cluster-domain":             {text, "s", "cluster.local", ""},
	"flannel-backend":            {text, "s", "vxlan", ""},
	"disable":                    {list, "s", "", ""},
	"disable-network-policy":     {onOff, "s", "", ""},
	"disable-helm-controller":    {onOff, "s", "", ""},
	"disable-cloud-controller":   {onOff, "s", "", ""},
	"disable-kube-proxy":         {onOff, "s", "", ""},
	"write-kubeconfig":           {text, "s", "/etc/rancher/k3s/k3s.yaml", "K3S_KUBECONFIG_OUTPUT"},
	"write-kubeconfig-mode":      {text, "s", "600", "K3S_KUBECONFIG_MODE"},
	"secrets-encryption":         {onOff, "s", "", ""},

	"kube-apiserver-arg":          {list, "s", "", ""},
	"kube-controller-manager-arg": {list, "s", "", ""},
	"kube-scheduler-arg":          {list, "s", "", ""},
	"etcd-arg":                    {list, "s", "", ""},

	"etcd-disable-snapshots":      {onOff, "s", "", ""},
	"etcd-snapshot-schedule-cron": {text, "s", "0 */12 * * *", ""},
	"etcd-snapshot-retention":     {text, "sn", "5", ""},
	"etcd-snapshot-dir":           {text, "sn", "", ""},
	"etcd-snapshot-name":          {text, "sn", "etcd-snapshot", ""},
	"etcd-snapshot-compress":      {onOff, "sn", "", ""},
	"etcd-s3":                     {onOff, "sn", "", ""},
	"etcd-s3-endpoint":            {text, "sn", "s3.amazonaws.com", ""},
	"etcd-s3-endpoint-ca":         {text, "sn", "", ""},
	"etcd-s3-skip-ssl-verify":     {onOff, "sn", "", ""},
	"etcd-s3-insecure":            {onOff, "sn", "", ""},
	"etcd-s3-access-key":          {text, "sn", "", "AWS_ACCESS_KEY_ID"},
	"etcd-s3-secret-key":          {text, "sn", "", "AWS_SECRET_ACCESS_KEY"},
	"etcd-s3-bucket":              {text, "sn", "", ""},
	"etcd-s3-bucket-lookup-type":  {text, "sn", "auto", ""},
	"etcd-s3-region":              {text, "sn", "us-east-1", ""},
	"etcd-s3-folder":              {text, "sn", "", ""},
	"etcd-s3-timeout":             {text, "sn", "5m0s", ""},

	"node-external-ip":        {text, "sa", "", ""},
	"node-label":              {list, "sa", "", ""},
	"node-taint":              {list, "sa", "", ""},
	"flannel-iface":           {text, "sa", "", ""},
	"kubelet-arg":             {list, "sa", "", ""},
	"kube-proxy-arg":          {list, "sa", "", ""},
	"protect-kernel-defaults": {onOff, "sa", "", ""},
	"resolv-conf":             {text, "sa", "", "K3S_RESOLV_CONF"},
	"private-registry":        {text, "sa", "/etc/rancher/k3s/registries.yaml", ""},
	"pause-image":             {text, "sa", "rancher/mirrored-pause:3.6", ""},
	"snapshotter":             {text, "sa", "overlayfs", ""},
	"lb-server-port":          {text, "sa", "6444", ""},
	"prefer-bundled-bin":      {onOff, "sa", "", ""},
	"selinux":                 {onOff, "sa", "", "K3S_SELINUX"},
}

// aliases are K3s's other words for the same.
var aliases = map[string]string{
	"t": "token", "s": "server", "d": "data-dir", "o": "write-kubeconfig",
	"name": "etcd-snapshot-name", "dir": "etcd-snapshot-dir", "snapshot-dir": "etcd-snapshot-dir",
	"snapshot-retention": "etcd-snapshot-retention", "snapshot-compress": "etcd-snapshot-compress",
	"s3": "etcd-s3", "s3-endpoint": "etcd-s3-endpoint", "s3-endpoint-ca": "etcd-s3-endpoint-ca",
	"s3-skip-ssl-verify": "etcd-s3-skip-ssl-verify", "s3-insecure": "etcd-s3-insecure",
	"s3-access-key": "etcd-s3-access-key", "s3-secret-key": "etcd-s3-secret-key",
	"s3-bucket": "etcd-s3-bucket", "s3-bucket-lookup-type": "etcd-s3-bucket-lookup-type",
	"s3-region": "etcd-s3-region", "s3-folder": "etcd-s3-folder", "s3-timeout": "etcd-s3-timeout",
}

// scopes tells which options a command takes.
var scopes = map[string]string{"server": "s", "agent": "a", "etcd-snapshot": "n"}
