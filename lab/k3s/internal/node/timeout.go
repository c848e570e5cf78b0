package node

import (
	"net"

	"golang.org/x/sys/unix"
)

const userTimeoutMilliseconds = 10000

// setUserTimeout has the kernel give up a connection whose server went away without a word.
func setUserTimeout(connection net.Conn) {
	tcp, ok := connection.(*net.TCPConn)
	if !ok {
		return
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return
	}
	_ = raw.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, userTimeoutMilliseconds)
	})
}
