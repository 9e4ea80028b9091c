package dashboards_test

import (
	"encoding/json"
	"io/fs"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"fintrans/demo/dashboards"
	"fintrans/grafana"
	"fintrans/internal/transaction"
)

// TestFilesAsk checks what can be read off the queries: what InfluxDB 1.4 documents, and nothing that makes a
// number wrong or another user's business.
func TestFilesAsk(t *testing.T) {
	t.Parallel()
	functions := regexp.MustCompile(`\b([a-zA-Z_]+)\(`)
	documented := []string{"count", "mean", "sum", "max", "min", "last", "cumulative_sum", "DISTINCT", "time", "fill", "now"}
	for _, kind := range []dashboards.Kind{dashboards.Grafana5, dashboards.Current} {
		for _, d := range load(t, kind) {
			titles := map[string]bool{}
			queries := slices.Clone(d.Annotations)
			for _, v := range d.Variables {
				queries = append(queries, v.Query)
			}
			for _, p := range d.Panels {
				if titles[p.Title] {
					t.Errorf("Grafana %s: dashboard %q has two panels %q", kind, d.Title, p.Title)
				}
				titles[p.Title] = true
				for _, q := range p.Queries {
					queries = append(queries, q.Text)
					if !strings.Contains(q.Text, "$timeFilter") && !strings.Contains(q.Text, "time > now() -") {
						t.Errorf("Grafana %s: panel %q says no time: shards are deleted whole, older points are still there", kind, p.Title)
					}
					if q.Table && strings.Count(q.Text[strings.LastIndex(q.Text, "FROM"):], "GROUP BY") == 1 && strings.Contains(q.Text, "\", \"") {
						t.Errorf("Grafana %s: table %q groups by two tags: current Grafanas put them in any order", kind, p.Title)
					}
				}
			}
			for _, query := range queries {
				for _, found := range functions.FindAllStringSubmatch(query, -1) {
					if !slices.Contains(documented, found[1]) {
						t.Errorf("Grafana %s: %q: %s is not on the list of what InfluxDB 1.4 documents", kind, query, found[1])
					}
				}
				if strings.Contains(query, "mean(") && strings.Contains(query, "(SELECT") {
					t.Errorf("Grafana %s: %q is a mean of something else than transactions", kind, query)
				}
			}
		}
	}
}

// TestFilesAreAlike checks that both kinds show the same.
func TestFilesAreAlike(t *testing.T) {
	t.Parallel()
	five, current := load(t, dashboards.Grafana5), load(t, dashboards.Current)
	if len(five) != 3 || len(current) != 3 {
		t.Fatalf("%d and %d dashboards, want 3", len(five), len(current))
	}
	for i, d := range five {
		other := current[i]
		if d.UID != other.UID || d.Title != other.Title || len(d.Panels) != len(other.Panels) {
			t.Errorf("dashboards differ: %s %s", d.UID, other.UID)
		}
		for j, p := range d.Panels {
			q := other.Panels[j]
			if p.Title != q.Title || p.Shape != q.Shape || p.Stacked != q.Stacked || p.Percent != q.Percent || p.Bars != q.Bars ||
				p.Empty != q.Empty || p.Decimals != q.Decimals || !slices.Equal(p.Queries, q.Queries) || (p.Link == "") != (q.Link == "") {
				t.Errorf("panels differ:\n%+v\n%+v", p, q)
			}
		}
	}
}

// TestAllCitiesCanBeChosen keeps the list of the dashboards that of the topics.
func TestAllCitiesCanBeChosen(t *testing.T) {
	t.Parallel()
	for _, kind := range []dashboards.Kind{dashboards.Grafana5, dashboards.Current} {
		d, _ := dashboards.Find(load(t, kind), "fintrans")
		if got := d.Variables[0].Values; !slices.Equal(got, transaction.Cities()) {
			t.Errorf("Grafana %s: the cities are %q, want %q", kind, got, transaction.Cities())
		}
	}
}

// known5 is what Grafana 5.0 reads of a dashboard, by the type of a panel: its panelDefaults and what every panel
// and dashboard has. Anything else would be ignored silently.
var known5 = map[string]string{
	"dashboard":  "uid title description tags schemaVersion editable refresh time links annotations templating panels",
	"link":       "type tags title tooltip icon asDropdown includeVars keepTime targetBlank",
	"annotation": "name datasource enable iconColor query titleColumn tagsColumn",
	"query":      "name label type datasource query refresh sort multi includeAll options current",
	"custom":     "name label type query multi includeAll options current",
	"interval":   "name label type query options current",
	"every":      "id type title description datasource gridPos targets",
	"graph":      "lines bars points fill stack percentage nullPointMode yaxes",
	"singlestat": "format decimals valueName mappingType valueMaps",
	"table":      "transform columns styles showHeader scroll sort",
	"text":       "mode content",
	"target":     "refId rawQuery query resultFormat alias",
	"style":      "pattern type dateFormat unit decimals link linkUrl linkTooltip",
}

func TestGrafana5KnowsItAll(t *testing.T) {
	t.Parallel()
	for name, d := range readAll(t, "5") {
		knows(t, name, d, "dashboard")
		for _, link := range list(d["links"]) {
			knows(t, name, link, "link")
		}
		for _, a := range list(d["annotations"].(map[string]any)["list"]) {
			knows(t, name, a, "annotation")
		}
		for _, v := range list(d["templating"].(map[string]any)["list"]) {
			knows(t, name, v, v["type"].(string))
		}
		for _, p := range list(d["panels"]) {
			knows(t, name, p, "every", p["type"].(string))
			for _, target := range list(p["targets"]) {
				knows(t, name, target, "target")
			}
			for _, style := range list(p["styles"]) {
				knows(t, name, style, "style")
				if kind, types := style["type"], []any{"date", "number", "string", "hidden"}; !slices.Contains(types, kind) {
					t.Errorf("%s: style of type %v", name, kind)
				}
			}
		}
	}
}

// TestFilesAreForAnyGrafana checks what both kinds have in common: a uid that stays, no id, no plug-in.
func TestFilesAreForAnyGrafana(t *testing.T) {
	t.Parallel()
	shipped := map[string][]string{
		"5": {"graph", "singlestat", "table", "text"}, "current": {"timeseries", "stat", "table", "text"},
	}
	for kind, types := range shipped {
		all := readAll(t, kind)
		uids := []string{}
		for name, d := range all {
			uids = append(uids, d["uid"].(string))
			if _, ok := d["id"]; ok {
				t.Errorf("%s/%s has an id: it belongs to one Grafana", kind, name)
			}
			for _, p := range list(d["panels"]) {
				if !slices.Contains(types, p["type"].(string)) {
					t.Errorf("%s/%s: panel type %v is not shipped with Grafana", kind, name, p["type"])
				}
			}
		}
		slices.Sort(uids)
		if want := []string{"fintrans", "fintrans-pipeline", "fintrans-transfers"}; !slices.Equal(uids, want) {
			t.Errorf("uids %q, want %q", uids, want)
		}
	}
}

func knows(t *testing.T, name string, object map[string]any, what ...string) {
	t.Helper()
	var known []string
	for _, part := range what {
		known = append(known, strings.Fields(known5[part])...)
	}
	for _, member := range slices.Sorted(maps.Keys(object)) {
		if !slices.Contains(known, member) {
			t.Errorf("%s: Grafana 5.0 does not know %q of a %s", name, member, what[len(what)-1])
		}
	}
}

func readAll(t *testing.T, kind string) map[string]map[string]any {
	t.Helper()
	names, err := fs.Glob(grafana.Files, "dashboards/"+kind+"/*.json")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]map[string]any{}
	for _, name := range names {
		text, err := grafana.Files.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		var d map[string]any
		if err := json.Unmarshal(text, &d); err != nil {
			t.Fatal(err)
		}
		found[name] = d
	}
	return found
}

func list(value any) []map[string]any {
	var found []map[string]any
	items, _ := value.([]any)
	for _, item := range items {
		object, _ := item.(map[string]any)
		found = append(found, object)
	}
	return found
}
