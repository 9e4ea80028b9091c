package realinflux

import (
	"fmt"
	"path/filepath"
)

// config returns the server's configuration. What is off would only cost time or write to the
// server's own database; everything else is InfluxDB's default.
func config(dir string, rpcPort, apiPort int, users bool) string {
	return fmt.Sprintf(`reporting-disabled = true
bind-address = "127.0.0.1:%d"

[meta]
  dir = %q

[data]
  dir = %q
  wal-dir = %q
  query-log-enabled = false

[http]
  bind-address = "127.0.0.1:%d"
  log-enabled = false
  auth-enabled = %t

[monitor]
  store-enabled = false
`, rpcPort, filepath.Join(dir, "meta"), filepath.Join(dir, "data"), filepath.Join(dir, "wal"), apiPort, users)
}
