package preview

import (
	"bytes"
	"context"
	_ "embed"
	"html/template"
	"net/http"
	"time"

	"fintrans/demo/dashboards"
)

//go:embed page.html
var pageText string

// pages answers the requests.
type pages struct {
	all    []dashboards.Dashboard
	influx dashboards.Influx
	limit  time.Duration // what all questions of a page may take together
}

// page is what the template shows.
type page struct {
	Dashboard dashboards.Dashboard
	Tabs      []dashboards.Dashboard
	Choices   []choice
	Ranges    []rangeChoice
	Panels    []panelView
	Made      string
}

var pageTemplate = template.Must(template.New("page").Parse(pageText))

func (p *pages) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/d/fintrans/fintrans", http.StatusFound)
	})
	mux.HandleFunc("GET /d/{uid}", p.show)
	mux.HandleFunc("GET /d/{uid}/{slug}", p.show)
	return mux
}

func (p *pages) show(w http.ResponseWriter, r *http.Request) {
	d, ok := dashboards.Find(p.all, r.PathValue("uid"))
	if !ok {
		http.Error(w, "there is no dashboard "+r.PathValue("uid"), http.StatusNotFound)
		return
	}
	ctx, cancel := context.WithTimeout(r.Context(), p.limit)
	defer cancel()
	now := time.Now()
	chosen := readAddress(d, r.URL.Query())
	if _, err := dashboards.At(chosen.within.From, now); err != nil {
		http.Error(w, "from: "+err.Error(), http.StatusBadRequest)
		return
	}
	if _, err := dashboards.At(chosen.within.To, now); err != nil {
		http.Error(w, "to: "+err.Error(), http.StatusBadRequest)
		return
	}
	view, choices := p.choose(ctx, d, chosen, now)
	made := page{
		Dashboard: d, Tabs: p.all, Choices: choices, Ranges: rangeChoices(chosen.within),
		Panels: p.panels(ctx, d, view), Made: now.UTC().Format("15:04:05"),
	}
	var text bytes.Buffer
	if err := pageTemplate.Execute(&text, made); err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
	_, _ = w.Write(text.Bytes()) // the browser went away
}
