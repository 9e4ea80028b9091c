package main

// dashboardNow is a dashboard as Grafana from 8.3 on reads it. Types that are the same as in Grafana 5 are shared.
type dashboardNow struct {
	UID           string       `json:"uid"`
	Title         string       `json:"title"`
	Description   string       `json:"description"`
	Tags          []string     `json:"tags"`
	SchemaVersion int          `json:"schemaVersion"`
	Editable      bool         `json:"editable"`
	Refresh       string       `json:"refresh"`
	Time          timeRange    `json:"time"`
	Links         []navigation `json:"links"`
	Annotations   struct {
		List []annotationNow `json:"list"`
	} `json:"annotations"`
	Templating struct {
		List []variableNow `json:"list"`
	} `json:"templating"`
	Panels []panelNow `json:"panels"`
}

// sourceRef names the data source.
type sourceRef struct {
	Type string `json:"type"`
	UID  string `json:"uid"`
}

// annotationNow has the query twice: Grafana up to 9 reads it from the annotation itself, later ones from the target.
// Without a column for the tags, which has to be a text, some versions take every column for one and fail.
type annotationNow struct {
	Name       string           `json:"name"`
	Datasource sourceRef        `json:"datasource"`
	Enable     bool             `json:"enable"`
	IconColor  string           `json:"iconColor"`
	Query      string           `json:"query"`
	TextColumn string           `json:"textColumn"`
	TagsColumn string           `json:"tagsColumn"`
	Target     annotationTarget `json:"target"`
}

type annotationTarget struct {
	RefID           string `json:"refId"`
	FromAnnotations bool   `json:"fromAnnotations"`
	Name            string `json:"name"`
	Query           string `json:"query"`
	TextColumn      string `json:"textColumn"`
	TagsColumn      string `json:"tagsColumn"`
}

type variableNow struct {
	Name       string     `json:"name"`
	Label      string     `json:"label"`
	Type       string     `json:"type"`
	Datasource *sourceRef `json:"datasource,omitempty"`
	Query      string     `json:"query"`
	Refresh    int        `json:"refresh,omitempty"`
	Sort       int        `json:"sort,omitempty"`
	Multi      bool       `json:"multi,omitempty"`
	IncludeAll bool       `json:"includeAll,omitempty"`
	Options    []option   `json:"options"`
	Current    *option    `json:"current,omitempty"`
}

type panelNow struct {
	ID          int        `json:"id"`
	Type        string     `json:"type"`
	Title       string     `json:"title"`
	Description string     `json:"description,omitempty"`
	Datasource  *sourceRef `json:"datasource,omitempty"`
	GridPos     place      `json:"gridPos"`
	Targets     []target   `json:"targets,omitempty"`
	FieldConfig *fields    `json:"fieldConfig,omitempty"`
	Options     any        `json:"options"`
}

type fields struct {
	Defaults  field      `json:"defaults"`
	Overrides []override `json:"overrides"`
}

type field struct {
	Unit     string     `json:"unit,omitempty"`
	Decimals *int       `json:"decimals,omitempty"`
	Min      *int       `json:"min,omitempty"`
	NoValue  string     `json:"noValue,omitempty"`
	Links    []dataLink `json:"links,omitempty"`
	Custom   any        `json:"custom,omitempty"`
}

type dataLink struct {
	Title string `json:"title"`
	URL   string `json:"url"`
}

type override struct {
	Matcher    matcher    `json:"matcher"`
	Properties []property `json:"properties"`
}

type matcher struct {
	ID      string `json:"id"`
	Options string `json:"options"`
}

type property struct {
	ID    string `json:"id"`
	Value any    `json:"value"`
}

type graphField struct {
	DrawStyle   string       `json:"drawStyle"`
	LineWidth   int          `json:"lineWidth"`
	FillOpacity int          `json:"fillOpacity"`
	ShowPoints  string       `json:"showPoints"`
	SpanNulls   bool         `json:"spanNulls"`
	Stacking    stackingMode `json:"stacking"`
}

type stackingMode struct {
	Group string `json:"group"`
	Mode  string `json:"mode"`
}

type graphOptions struct {
	Legend  legend  `json:"legend"`
	Tooltip tooltip `json:"tooltip"`
}

type legend struct {
	ShowLegend  bool     `json:"showLegend"`
	DisplayMode string   `json:"displayMode"`
	Placement   string   `json:"placement"`
	Calcs       []string `json:"calcs"`
}

type tooltip struct {
	Mode string `json:"mode"`
	Sort string `json:"sort"`
}

type statOptions struct {
	ColorMode     string `json:"colorMode"`
	GraphMode     string `json:"graphMode"`
	TextMode      string `json:"textMode"`
	ReduceOptions reduce `json:"reduceOptions"`
}

type reduce struct {
	Calcs  []string `json:"calcs"`
	Fields string   `json:"fields"`
	Values bool     `json:"values"`
}

type tableOptions struct {
	ShowHeader bool `json:"showHeader"`
}

type textOptions struct {
	Mode    string `json:"mode"`
	Content string `json:"content"`
}

type hideFrom struct {
	Legend  bool `json:"legend"`
	Tooltip bool `json:"tooltip"`
	Viz     bool `json:"viz"`
}
