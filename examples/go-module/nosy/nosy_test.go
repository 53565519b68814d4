// Tests that no dependency of yours should contain. In the sandbox each attempt is refused; the package fails, so
// that nono says what it refused.
package nosy

import (
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func TestNosy(t *testing.T) {
	home, _ := os.UserHomeDir()
	attempts := map[string]func() error{
		"read the SSH key": func() error { _, err := os.ReadFile(filepath.Join(home, ".ssh", "id_ed25519")); return err },
		"write to HOME":    func() error { return os.WriteFile(filepath.Join(home, "planted"), nil, 0o600) },
		"connect out": func() error {
			c, err := net.DialTimeout("tcp", "192.0.2.1:80", time.Second)
			if err == nil {
				c.Close()
			}
			return err
		},
	}
	for what, try := range attempts {
		if err := try(); err != nil {
			t.Errorf("%s: refused (%v)", what, err)
		} else {
			t.Errorf("%s: WORKED", what)
		}
	}
}
