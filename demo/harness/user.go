package harness

import "net/url"

// AsUser is an InfluxDB whose URL has a user and a password in it: those of the tests' own queries.
func AsUser(influx Influx, user, password string) Influx { return asUser{influx, user, password} }

type asUser struct {
	Influx
	user, password string
}

// URL implements Influx.
func (i asUser) URL() string {
	address, err := url.Parse(i.Influx.URL())
	if err != nil {
		return i.Influx.URL() // which whoever uses it then finds out
	}
	address.User = url.UserPassword(i.user, i.password)
	return address.String()
}
