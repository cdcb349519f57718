//go:build !unix

package ws

// standIns are for systems where a connection is a descriptor like any other.
type standIns struct{}

var low standIns

func (standIns) hold()    {}
func (standIns) release() {}
