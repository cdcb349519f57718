package gateway

import (
	"context"
	"net"
)

// Listen announces on a TCP address as a Gateway likes it: dead peers are found by its own pings, not by the kernel's, which
// would cost four system calls for each connection.
func Listen(ctx context.Context, address string) (net.Listener, error) {
	lc := net.ListenConfig{KeepAlive: -1, Control: listenControl}
	return lc.Listen(ctx, "tcp", address)
}
