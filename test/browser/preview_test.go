// Package browser_test looks at the preview of the dashboards as a person does, in headless Chromium.
package browser_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp"

	"fintrans/demo/dashboards"
	"fintrans/demo/harness"
	"fintrans/demo/preview"
)

func TestMain(m *testing.M) { os.Exit(harness.Main(m)) }

// patience is what the whole visit may take on a slow, busy machine.
const patience = 2 * time.Minute

// TestPreview lets known money through the real ingest, reads values off the page, follows the alert to its
// transfers, and sees the page refresh itself. With SCREENSHOTS=folder it writes the README's pictures there.
func TestPreview(t *testing.T) {
	t.Parallel()
	s := harness.NewSystem(t, harness.Embedded, harness.Need{})
	in := s.Start("influx-ingest", harness.Env{"INGEST_WAIT_SEC": "0.05"})
	money, ring, want := knownMoney()
	s.Produce(money...)
	s.AwaitVolumes(want)
	alert(t, s.Influx.URL(), ring)
	p, err := preview.Start(t.Context(), preview.Options{Addr: "127.0.0.1:0", Influx: dashboards.Influx{URL: s.Influx.URL(), Database: "fintrans"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	page := open(t)

	page.do("open the preview", chromedp.Navigate(p.URL()), chromedp.WaitVisible("#panels svg"))
	var all harness.Volume
	for city, volume := range want {
		all = harness.Volume{Count: all.Count + volume.Count, Sum: all.Sum + volume.Sum}
		row := fmt.Sprintf("%d|%.2f|%d", volume.Count, float64(volume.Sum)/float64(volume.Count), volume.Sum)
		if got := page.row("Cities", city); !strings.HasPrefix(got, row) {
			t.Errorf("row of %s: %q, want %q", city, got, row)
		}
	}
	page.shows("Transactions", fmt.Sprint(all.Count))
	page.shows("Average transaction", fmt.Sprintf("$%.2f", float64(all.Sum)/float64(all.Count)))
	page.shows("Total volume", fmt.Sprintf("$%d.00", all.Sum))
	page.shows("Alerts in the range", "1")
	if got := page.text("#preview"); !strings.Contains(got, "This is a preview") {
		t.Errorf("it does not say that it is a preview: %q", got)
	}
	page.picture("fintrans.png")

	page.click(`[data-title="Alerts"] tbody a`, `[data-title="Transfers, one by one"] tbody`)
	page.shows("Transfers", fmt.Sprint(len(ring)))
	page.shows("Total, $", "10644")
	if rows := strings.Count(page.text(`[data-title="Transfers, one by one"] tbody`), "\n") + 1; rows != len(ring) {
		t.Errorf("%d transfers, want %d", rows, len(ring))
	}
	page.picture("transfers.png")

	more := harness.Transfer("NYC", time.Now(), 1, 2, 3)
	page.click(`nav a[href*="pipeline"]`, `[data-title="Retries"]`)
	page.click(`nav a[href="/d/fintrans/fintrans"]`, `[data-title="Transactions"] .number`)
	s.Produce(more)
	harness.Eventually(t, func() (bool, string) { // within 5 s, without anybody reloading
		got := page.number("Transactions")
		return got == fmt.Sprint(all.Count+1), fmt.Sprintf("the page still shows %s transactions, want %d", got, all.Count+1)
	})
	if status := in.Term(); status != 0 {
		t.Errorf("influx-ingest: exit status %d", status)
	}
}

// knownMoney is an hour of money in five cities, and a ring.
func knownMoney() (money, ring []harness.Record, volumes map[string]harness.Volume) {
	random := rand.New(rand.NewPCG(6, 0))
	begin := time.UnixMilli(time.Now().Add(-55 * time.Minute).UnixMilli())
	add := func(at time.Time, city string, source, target, amount uint32) harness.Record {
		r := harness.Transfer(city, at, source, target, amount)
		v := volumes[city]
		volumes[city] = harness.Volume{Count: v.Count + 1, Sum: v.Sum + int64(amount)}
		money = append(money, r)
		return r
	}
	volumes = map[string]harness.Volume{}
	for range 9000 {
		source := uint32(random.IntN(1000))
		amount := uint32(min(9999, 100*math.Exp(random.NormFloat64())))
		add(begin.Add(time.Duration(random.Int64N(54*60_000))*time.Millisecond), harness.Cities()[random.IntN(5)], source, (source+1+uint32(random.IntN(998)))%1000, amount+1)
	}
	for i, amount := range []uint32{2000, 2500, 1500, 3000, 1644} {
		ring = append(ring, add(begin.Add(40*time.Minute+time.Duration(i)*23*time.Second), harness.Cities()[i%3], 1516, 1482, amount))
	}
	return money, ring, volumes
}

// alert writes what the detector says of the ring.
func alert(t *testing.T, influx string, ring []harness.Record) {
	t.Helper()
	first, last := ring[0].Time, ring[len(ring)-1].Time
	point := fmt.Sprintf(`alerts,city=London,partition=3 source=1516i,target=1482i,total=10644i,threshold=10000i,window_ms=3600000i,transfers=%di,`+
		`first_ms=%di,last_ms=%di,offset=1i,cities="London, NYC, SF" %d`, len(ring), first.UnixMilli(), last.UnixMilli(), last.UnixNano())
	answer, err := http.Post(influx+"/write?"+url.Values{"db": {"fintrans"}, "rp": {"month"}}.Encode(), "", strings.NewReader(point))
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusNoContent {
		t.Fatalf("write the alert: %s", answer.Status)
	}
}

// tab is a tab of the browser.
type tab struct {
	t   *testing.T
	ctx context.Context
}

// open starts a browser that asks for nothing but what it is told to.
func open(t *testing.T) tab {
	t.Helper()
	path := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil {
			path = found
			break
		}
	}
	if path == "" {
		t.Fatal("chromium is missing: install it (Debian package: chromium)")
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path), chromedp.UserDataDir(t.TempDir()), chromedp.WindowSize(1280, 1000), chromedp.DisableGPU, chromedp.NoSandbox,
		chromedp.WSURLReadTimeout(patience),
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true))
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	allocator, stop := chromedp.NewExecAllocator(ctx, options...)
	browser, leave := chromedp.NewContext(allocator)
	t.Cleanup(func() {
		_ = chromedp.Cancel(browser) // waits for its end
		leave()
		stop()
		cancel()
	})
	return tab{t, browser}
}

func (p tab) do(what string, actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	if err := chromedp.Do(p.ctx, actions...); err != nil {
		p.t.Fatalf("%s: %v", what, err)
	}
}

// click follows a link, and returns when what it leads to is there, and the whole page with it.
func (p tab) click(link, leadsTo string) {
	p.t.Helper()
	p.do("click "+link, chromedp.Click(link), chromedp.WaitVisible(leadsTo), chromedp.WaitReady("main + script")) // behind all panels
}

// text reads in one step: the page replaces its panels every few seconds.
func (p tab) text(selector string) string {
	p.t.Helper()
	text, err := chromedp.Run(p.ctx, chromedp.Evaluate[string](fmt.Sprintf("document.querySelector(%q).innerText", selector)))
	if err != nil {
		p.t.Fatalf("read %s: %v", selector, err)
	}
	return strings.TrimSpace(text)
}

// number returns what a stat shows, without separators.
func (p tab) number(title string) string {
	p.t.Helper()
	return strings.ReplaceAll(p.text(`[data-title="`+title+`"] .number`), ",", "")
}

func (p tab) shows(title, want string) {
	p.t.Helper()
	if got := p.number(title); got != want {
		p.t.Errorf("%q shows %q, want %q", title, got, want)
	}
}

// row returns the cells of a table's row after the first, which has the given text.
func (p tab) row(title, first string) string {
	p.t.Helper()
	for line := range strings.Lines(p.text(`[data-title="` + title + `"] tbody`)) {
		cells := strings.Split(strings.TrimSpace(line), "\t")
		if cells[0] == first {
			return strings.Join(cells[1:], "|")
		}
	}
	return ""
}

// picture writes a screenshot where they are wanted.
func (p tab) picture(name string) {
	p.t.Helper()
	folder := os.Getenv("SCREENSHOTS")
	if folder == "" {
		return
	}
	png, err := chromedp.Run(p.ctx, chromedp.FullScreenshot(100))
	if err != nil {
		p.t.Fatalf("take a picture: %v", err)
	}
	if err := os.WriteFile(filepath.Join(folder, name), png, 0o644); err != nil {
		p.t.Fatal(err)
	}
}
