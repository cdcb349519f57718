package usersig

import (
	"bytes"
	stdzlib "compress/zlib"
	"encoding/binary"
	"hash/adler32"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// zlibOf packs text at a level of the standard library; -2 is Huffman codes without matches.
func zlibOf(t testing.TB, text []byte, level int) []byte {
	t.Helper()
	var b bytes.Buffer
	w, err := stdzlib.NewWriterLevel(&b, level)
	require.NoError(t, err)
	_, err = w.Write(text)
	require.NoError(t, err)
	require.NoError(t, w.Close())
	return b.Bytes()
}

// texts are of many kinds: short and long, with and without matches, with many and with few different bytes.
func texts() map[string][]byte {
	random := rand.NewChaCha8([32]byte{1})
	noise, skewed := make([]byte, maxDocument), make([]byte, maxDocument)
	_, _ = random.Read(noise)
	for i := range skewed { // some bytes are so rare that their codes are longer than quickLiterals
		skewed[i] = byte(min(rand.New(random).ExpFloat64()*9, 255))
	}
	return map[string][]byte{
		"nothing":     {},
		"one byte":    {7},
		"a ticket":    []byte(aliceJSON(plainFormat)),
		"all bytes":   []byte(strings.Repeat("\x00\x01\x80\xfe\xff", 50)),
		"one run":     bytes.Repeat([]byte{' '}, maxDocument),
		"noise":       noise,
		"skewed":      skewed,
		"far matches": bytes.Repeat(noise[:3000], 2),
	}
}

func TestWhatTheStandardLibraryPacksIsInflated(t *testing.T) {
	for name, text := range texts() {
		for level := stdzlib.HuffmanOnly; level <= stdzlib.BestCompression; level++ {
			packed := zlibOf(t, text, level)
			z := new(inflater)
			for range 2 { // used again
				out, err := z.inflate(make([]byte, 0, maxDocument), packed)
				require.NoError(t, err, "%s at level %d", name, level)
				require.True(t, bytes.Equal(text, out), "%s at level %d", name, level)
			}
			if len(text) > 0 {
				_, err := z.inflate(make([]byte, 0, len(text)-1), packed)
				require.ErrorIs(t, err, errTooLong, "%s at level %d", name, level)
			}
			for n := 0; n < len(packed); n += 1 + n/20 {
				_, err := z.inflate(make([]byte, 0, maxDocument), packed[:n])
				require.ErrorIs(t, err, errTruncated, "%d bytes of %s at level %d", n, name, level)
			}
			packed[len(packed)-1]++
			_, err := z.inflate(make([]byte, 0, maxDocument), packed)
			require.ErrorIs(t, err, errChecksum)
		}
	}
}

// FuzzInflate checks that we take what the standard library takes, refuse what it refuses, and get the same text.
func FuzzInflate(f *testing.F) {
	for _, text := range texts() {
		for _, level := range []int{stdzlib.HuffmanOnly, stdzlib.NoCompression, 1, 6, 9} {
			f.Add(zlibOf(f, text, level))
		}
	}
	f.Add([]byte{0x78, 0x9c, 3, 0, 0, 0, 0, 1})                                        // an empty fixed block
	f.Add([]byte{0x78, 0x9c, 5, 0xe0, 0x81, 0, 0, 0, 0, 0, 0x10, 0xff, 0xd5, 0x12, 0}) // nearly empty tables
	z := new(inflater)
	f.Fuzz(func(t *testing.T, data []byte) {
		out, err := z.inflate(make([]byte, 0, maxDocument), data)
		want, wrong := standardInflate(data)
		if (err == nil) != (wrong == nil) {
			t.Fatalf("we say %v, the standard library says %v", err, wrong)
		}
		if err == nil && !bytes.Equal(out, want) {
			t.Fatalf("%q instead of %q", out, want)
		}
		// The checksum keeps a fuzzer from what comes before it, so it is given one that fits.
		if err == errChecksum && len(data) < 4<<10 {
			mended := binary.BigEndian.AppendUint32(bytes.Clone(data[:z.at]), adler32.Checksum(out))
			if got, err := z.inflate(make([]byte, 0, maxDocument), mended); err != nil || !bytes.Equal(got, out) {
				t.Fatalf("mended: %v", err)
			}
			if want, err := standardInflate(mended); err != nil || !bytes.Equal(want, out) {
				t.Fatalf("%q instead of %q, %v", out, want, err)
			}
		}
	})
}

func standardInflate(data []byte) ([]byte, error) {
	r, err := stdzlib.NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	out, err := io.ReadAll(io.LimitReader(r, maxDocument+1))
	if err == nil && len(out) > maxDocument {
		err = errTooLong
	}
	return out, err
}
