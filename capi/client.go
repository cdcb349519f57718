package main

/*
#include "tim_internal.h"
*/
import "C"

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/opentim/tim/codes"
	"github.com/opentim/tim/core"
)

// A client is the Go half of a slot: the engine, and what it takes to bring its news to C.
type client struct {
	handle C.tim_client
	slot   *C.struct_tim_slot
	engine *core.Client

	publisher *publisher
	tickets   tickets

	failure atomic.Pointer[string] // a panic of ours, which EventClosed must tell
}

// clients holds the live clients, each under the slot number of its handle.
var clients [C.TIM_MAX_CLIENTS]atomic.Pointer[client]

func place(handle C.tim_client) *atomic.Pointer[client] {
	return &clients[handle%C.TIM_MAX_CLIENTS]
}

// find returns the client that handle names, or nil: it may have closed since C looked.
func find(handle C.tim_client) *client {
	c := place(handle).Load()
	if c == nil || c.handle != handle {
		return nil
	}
	return c
}

// open makes the client of slot.
func open(slot *C.struct_tim_slot, handle C.tim_client, config *C.tim_config) error {
	options, err := options(config)
	if err != nil {
		return err
	}
	c := &client{handle: handle, slot: slot, publisher: newPublisher(slot.now, handle)}
	options.Relay = c.tellEvent
	options.Relayed = c.relayed
	options.OnState = c.publisher.publish
	if config.ticket_provider != nil {
		options.TicketProvider = c.askForTicket
	}
	if c.engine, err = core.Open(options); err != nil {
		c.publisher.end()
		return err
	}
	place(handle).Store(c)
	return nil
}

// close starts the end of c. Its last callback is what tim_client_free waits for.
func (c *client) close() {
	c.publisher.end()
	go c.engine.Close()
}

// fail closes c after a panic of ours.
func (c *client) fail(panicked any) {
	text := fmt.Sprint("panic: ", panicked)
	c.failure.CompareAndSwap(nil, &text)
	c.close()
}

// options translates a config; zero means the same in both.
func options(config *C.tim_config) (core.Options, error) {
	var texts textReader
	o := core.Options{
		URL:           texts.read(config.url),
		App:           uint64(config.sdk_app_id),
		Platform:      codes.Platform(config.platform),
		Label:         texts.read(config.label),
		DataDir:       texts.read(config.data_dir),
		Instance:      texts.read(config.instance),
		SDK:           texts.read(config.sdk),
		LoginTimeout:  time.Duration(config.login_timeout_ms) * time.Millisecond,
		LogoutTimeout: time.Duration(config.logout_timeout_ms) * time.Millisecond,
		AllowInsecure: config.allow_insecure != 0,
		Background:    config.background != 0,
	}
	if o.SDK == "" {
		o.SDK = "tim-c/" + codes.Version
	}
	if config.on_log != nil {
		o.LogLevel = codes.LogLevel(config.log_level)
	}
	roots := texts.read(config.ca_pem)
	if texts.err != nil {
		return o, fmt.Errorf("config: %w", texts.err)
	}
	if roots != "" {
		o.TLS = &tls.Config{RootCAs: x509.NewCertPool()}
		if !o.TLS.RootCAs.AppendCertsFromPEM([]byte(roots)) {
			return o, fmt.Errorf("config: ca_pem holds no certificate: %w", codes.InvalidParameters)
		}
	}
	return o, nil
}
