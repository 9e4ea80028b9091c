// What a dashboard's file has to be, by the types that Grafana publishes. Each file is checked as a literal, so that a
// name that Grafana does not know is an error too.
import type * as schema from '@grafana/schema';
import type * as stat from '@grafana/schema/dist/esm/raw/composable/stat/panelcfg/x/StatPanelCfg_types.gen';
import type * as table from '@grafana/schema/dist/esm/raw/composable/table/panelcfg/x/TablePanelCfg_types.gen';
import type * as text from '@grafana/schema/dist/esm/raw/composable/text/panelcfg/x/TextPanelCfg_types.gen';
import type * as timeseries from '@grafana/schema/dist/esm/raw/composable/timeseries/panelcfg/x/TimeSeriesPanelCfg_types.gen';

// JSON has no enums, only their values.
type Written<T> = T extends string
  ? `${T}`
  : T extends number
    ? number
    : T extends boolean | null | undefined
      ? T
      : T extends (infer U)[]
        ? Written<U>[]
        : unknown extends T
          ? T
          : { [K in keyof T]: Written<T[K]> };

// Grafana fills in what is left out.
type Some<T> = T extends object ? (T extends unknown[] ? T : { [K in keyof T]?: Some<T[K]> }) : T;

// The query of an InfluxDB data source; its type is not published.
type InfluxQuery = { refId: string; rawQuery: true; query: string; resultFormat: 'time_series' | 'table'; alias?: string };

type PanelOf<Type, Options, Custom> = Omit<Written<schema.Panel>, 'type' | 'options' | 'fieldConfig' | 'targets'> & {
  type: Type;
  targets?: InfluxQuery[];
  options: Some<Written<Options>>;
  fieldConfig?: {
    defaults: Omit<Written<schema.FieldConfig>, 'custom' | 'links'> & { custom?: Some<Written<Custom>>; links?: { title: string; url: string }[] };
    overrides: Written<schema.FieldConfigSource['overrides']>;
  };
};

type AnyPanel =
  | PanelOf<'timeseries', timeseries.Options, timeseries.FieldConfig>
  | PanelOf<'stat', stat.Options, {}>
  | PanelOf<'table', table.Options, table.FieldConfig>
  | PanelOf<'text', text.Options, {}>;

// Up to Grafana 9 an annotation has its query itself, since then in its target.
type Columns = { query: string; textColumn: string; tagsColumn: string };
type Annotation = Omit<Written<schema.AnnotationQuery>, 'target'> & Columns & { target: Columns & { refId: string; fromAnnotations: true; name: string } };

export type File = Omit<Written<schema.Dashboard>, 'panels' | 'annotations' | 'id'> & {
  panels: AnyPanel[];
  annotations: { list: Annotation[] };
};
