package standin

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
)

// routeCosmos answers what is asked of the package manager.
func (c *Cluster) routeCosmos(mux *http.ServeMux) {
	mux.HandleFunc("GET /capabilities", c.serveCapabilities)
	mux.HandleFunc("POST /package/describe", c.cosmos("describe", c.describe))
	mux.HandleFunc("POST /package/render", c.cosmos("render", c.render))
	mux.HandleFunc("POST /package/install", c.cosmos("install", c.installPackage))
	mux.HandleFunc("POST /package/list", c.cosmos("list", c.listPackages))
	mux.HandleFunc("POST /package/uninstall", c.cosmos("uninstall", c.uninstallPackage))
}

func (c *Cluster) serveCapabilities(w http.ResponseWriter, _ *http.Request) {
	list := []object{{"name": "PACKAGE_MANAGEMENT"}}
	if !c.before(1, 9) {
		list = append(list, object{"name": "LOGGING"})
	}
	if !c.before(1, 11) {
		list = append(list, object{"name": "LOGGING_V2"})
	}
	w.Header().Set("Content-Type", "application/vnd.dcos.capabilities+json;charset=utf-8;version=v1")
	respond(w, http.StatusOK, object{"capabilities": list})
}

// cosmosRequest is what all requests to Cosmos have among them.
type cosmosRequest struct {
	PackageName    string         `json:"packageName"`
	PackageVersion string         `json:"packageVersion"`
	Options        map[string]any `json:"options"`
	AppID          string         `json:"appId"`
	All            bool           `json:"all"`
}

// cosmosError is an answer that is none.
type cosmosError struct {
	status        int
	kind, message string
	data          object
}

var askedVersion = regexp.MustCompile(`-response\+json;charset=utf-8;version=(v[0-9]+)`)

// cosmos wraps an operation in media types: the answer has exactly the version that was asked for.
func (c *Cluster) cosmos(operation string, do func(cosmosRequest) (any, *cosmosError)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		media := "application/vnd.dcos.package." + operation
		if got := r.Header.Get("Content-Type"); got != media+"-request+json;charset=utf-8;version=v1" {
			http.Error(w, "content type "+got, http.StatusUnsupportedMediaType)
			return
		}
		asked := askedVersion.FindStringSubmatch(r.Header.Get("Accept"))
		if asked == nil || !strings.Contains(r.Header.Get("Accept"), media+"-response") {
			http.Error(w, "accept "+r.Header.Get("Accept"), http.StatusNotAcceptable)
			return
		}
		var request cosmosRequest
		if err := json.NewDecoder(r.Body).Decode(&request); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		c.mu.Lock()
		defer c.mu.Unlock()
		answer, failed := do(request)
		if failed != nil {
			w.Header().Set("Content-Type", "application/vnd.dcos.package.error+json;charset=utf-8;version=v1")
			respond(w, failed.status, object{"type": failed.kind, "message": failed.message, "data": failed.data})
			return
		}
		w.Header().Set("Content-Type", media+"-response+json;charset=utf-8;version="+asked[1])
		respond(w, http.StatusOK, answer)
	}
}

// find returns the package in the version, or the answer that there is none.
func (c *Cluster) find(r cosmosRequest) (*product, string, *cosmosError) {
	p := catalog[r.PackageName]
	if p == nil {
		return nil, "", &cosmosError{http.StatusBadRequest, "PackageNotFound", fmt.Sprintf("Package [%s] not found", r.PackageName), object{}}
	}
	version, ok := c.version(p, r.PackageVersion)
	if !ok {
		return nil, "", &cosmosError{http.StatusBadRequest, "VersionNotFound", fmt.Sprintf("Version [%s] of package [%s] not found", r.PackageVersion, p.name), object{}}
	}
	return p, version, nil
}

func describeProduct(p *product, version string) object {
	return object{
		"packagingVersion": "3.0", "name": p.name, "version": version, "releaseVersion": 1, "maintainer": "stand-in",
		"description": p.name + " of the stand-in", "tags": []string{}, "selected": false, "framework": p.framework,
		"preInstallNotes": "", "postInstallNotes": p.name + " is being installed.",
		"marathon": object{"v2AppMustacheTemplate": base64.StdEncoding.EncodeToString([]byte(`{"id":"/` + p.name + `"}`))},
		"config":   object{"type": "object", "properties": object{}}, "resource": object{},
	}
}

func (c *Cluster) describe(r cosmosRequest) (any, *cosmosError) {
	if r.PackageName == "dcos-core-cli" && c.options.Plugin != "" {
		return c.describePlugin()
	}
	p, version, failed := c.find(r)
	if failed != nil {
		return nil, failed
	}
	return object{"package": describeProduct(p, version)}, nil
}

// describePlugin offers the plugin that was given.
func (c *Cluster) describePlugin() (any, *cosmosError) {
	zip, err := os.ReadFile(c.options.Plugin)
	if err != nil {
		return nil, &cosmosError{http.StatusInternalServerError, "unhandled_exception", err.Error(), object{}}
	}
	sum := sha256.Sum256(zip)
	binary := object{
		"kind": "zip", "url": c.url + "/plugin/dcos-core-cli.zip",
		"contentHash": []object{{"algo": "sha256", "value": hex.EncodeToString(sum[:])}},
	}
	description := describeProduct(&product{name: "dcos-core-cli"}, "2.1-patch.x")
	delete(description, "marathon")
	description["resource"] = object{"cli": object{"binaries": object{"linux": object{"x86-64": binary}}}}
	return object{"package": description}, nil
}

func (c *Cluster) render(r cosmosRequest) (any, *cosmosError) {
	p, _, failed := c.find(r)
	if failed != nil {
		return nil, failed
	}
	return object{"marathonJson": object{"id": "/" + p.name}}, nil
}

func (c *Cluster) installPackage(r cosmosRequest) (any, *cosmosError) {
	p, version, failed := c.find(r)
	if failed != nil {
		return nil, failed
	}
	if c.apps["/"+p.name] != nil {
		return nil, &cosmosError{http.StatusConflict, "PackageAlreadyInstalled", "Package is already installed", object{}}
	}
	if wrong := p.checkOptions(r.Options); len(wrong) > 0 {
		return nil, &cosmosError{http.StatusBadRequest, "JsonSchemaMismatch", "Options JSON failed validation", object{"errors": wrong}}
	}
	if err := c.install(p.name, version, r.Options); err != nil {
		return nil, &cosmosError{http.StatusInternalServerError, "unhandled_exception", err.Error(), object{}}
	}
	return object{"packageName": p.name, "packageVersion": version, "appId": "/" + p.name, "postInstallNotes": p.name + " is being installed.", "cli": nil}, nil
}

// checkOptions refuses what the package's schema refuses. Most of it ignores unknown keys; numbers out of
// range are told by the test of the committed files.
func (p *product) checkOptions(options map[string]any) []object {
	var wrong []object
	for section, known := range p.options {
		values, _ := options[section].(map[string]any)
		for _, key := range slices.Sorted(maps.Keys(values)) {
			if !slices.Contains(known, key) {
				wrong = append(wrong, object{
					"keyword": "additionalProperties", "instance": object{"pointer": "/" + section}, "unwanted": []string{key},
					"message": `object instance has properties which are not allowed by the schema: ["` + key + `"]`,
				})
			}
		}
	}
	return wrong
}

func (c *Cluster) listPackages(r cosmosRequest) (any, *cosmosError) {
	list := []object{}
	for _, id := range slices.Sorted(maps.Keys(c.packages)) {
		installed := c.packages[id]
		if r.PackageName != "" && r.PackageName != installed.product.name {
			continue
		}
		list = append(list, object{"appId": id, "packageInformation": object{
			"packageDefinition": describeProduct(installed.product, installed.version), "resourceDefinition": object{},
		}})
	}
	return object{"packages": list}, nil
}

// uninstallPackage begins to remove the app; Kafka's stays until its scheduler is done.
func (c *Cluster) uninstallPackage(r cosmosRequest) (any, *cosmosError) {
	a := c.apps["/"+r.PackageName]
	if a == nil || a.pkg == nil {
		return nil, &cosmosError{http.StatusBadRequest, "PackageNotInstalled", fmt.Sprintf("Package [%s] is not installed", r.PackageName), object{}}
	}
	a.removing = true
	c.deploy(a)
	return object{"results": []object{{"packageName": r.PackageName, "packageVersion": a.pkg.version, "appId": a.id, "postUninstallNotes": ""}}}, nil
}
