package preview

import (
	"fmt"
	"math"

	"github.com/go-analyze/charts"

	"fintrans/demo/dashboards"
)

// Size of a picture in pixels per unit of the dashboard's grid; the page scales it.
const (
	unitWidth  = 50
	unitHeight = 34
)

// palette has a colour for each series, told apart also without seeing red and green.
var palette = []charts.Color{
	{R: 0, G: 114, B: 178, A: 255}, {R: 230, G: 159, B: 0, A: 255}, {R: 0, G: 158, B: 115, A: 255}, {R: 204, G: 121, B: 167, A: 255},
	{R: 86, G: 180, B: 233, A: 255}, {R: 148, G: 103, B: 44, A: 255}, {R: 110, G: 110, B: 110, A: 255}, {R: 240, G: 200, B: 40, A: 255},
	{R: 60, G: 60, B: 160, A: 255}, {R: 150, G: 200, B: 120, A: 255},
}

var alertColor = charts.Color{R: 213, G: 43, B: 30, A: 255}

// draw makes a picture in SVG.
func draw(panel dashboards.Panel, s slots) ([]byte, error) {
	painter := charts.NewPainter(charts.PainterOptions{
		OutputFormat: charts.ChartOutputSVG, Width: panel.Width * unitWidth, Height: panel.Height * unitHeight,
	})
	unit := panel.Unit
	if panel.Percent {
		unit = "percent"
	}
	noLegend := charts.LegendOption{Show: charts.Ptr(false)} // the page has its own
	axis := []charts.YAxisOption{{Min: charts.Ptr(0.0), LabelCount: 5, ValueFormatter: short(unit)}}
	labels := charts.XAxisOption{Labels: s.labels, LabelCount: min(panel.Width/3, len(s.labels)), BoundaryGap: charts.Ptr(false)}
	theme := charts.GetTheme(charts.ThemeLight).WithSeriesColors(colors(len(s.values)))
	if panel.Percent {
		axis[0].Max, axis[0].RangeValuePaddingScale, axis[0].PreferNiceIntervals = charts.Ptr(100.0), charts.Ptr(0.0), charts.Ptr(false)
	}
	// Bars are drawn as areas too: the library has none as narrow as an interval is here.
	err := painter.LineChart(charts.LineChartOption{
		Theme: theme, Padding: charts.NewBoxEqual(12), SeriesList: lineSeries(s), StackSeries: charts.Ptr(panel.Stacked || panel.Bars),
		XAxis: labels, YAxis: axis, Legend: noLegend, LineStrokeWidth: 1.5, FillOpacity: 150, ValueFormatter: short(unit),
	})
	if err != nil {
		return nil, err
	}
	return painter.Bytes()
}

func colors(series int) []charts.Color {
	chosen := make([]charts.Color, 0, series+1)
	for i := range series {
		chosen = append(chosen, palette[i%len(palette)])
	}
	return append(chosen, alertColor)
}

// key is an entry of the legend.
type key struct {
	Name, Color string
}

// legend names the series of a picture and their colours.
func legend(s slots) []key {
	var keys []key
	for i, name := range s.names {
		keys = append(keys, key{name, hex(palette[i%len(palette)])})
	}
	for _, alert := range s.alerts {
		if alert {
			return append(keys, key{"alert", hex(alertColor)})
		}
	}
	return keys
}

func hex(c charts.Color) string { return fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B) }

// lineSeries has the alerts as a series of its own, of marks alone. In a stack they are at its top.
func lineSeries(s slots) charts.LineSeriesList {
	var list charts.LineSeriesList
	symbol := charts.Symbol{Shape: charts.SymbolNone}
	if s.known < 2 {
		symbol = charts.Symbol{Shape: charts.SymbolDot, Size: 3} // a line needs two
	}
	for i, values := range s.values {
		list = append(list, charts.LineSeries{Name: s.names[i], Values: nulls(values), Symbol: symbol})
	}
	marks, marked := make([]float64, len(s.alerts)), false
	for i, alert := range s.alerts {
		marks[i] = charts.GetNullValue()
		if alert {
			marks[i], marked = 0, true
		}
	}
	if marked {
		list = append(list, charts.LineSeries{Name: "alert", Values: marks, Symbol: charts.Symbol{Shape: charts.SymbolDiamond, Size: 5}})
	}
	return list
}

// nulls puts the library's value for none in place of NaN.
func nulls(values []float64) []float64 {
	for i, value := range values {
		if math.IsNaN(value) {
			values[i] = charts.GetNullValue()
		}
	}
	return values
}
