package cases

// operation are the cases of running fintrans: starts, health, faults of the servers, kills.
func operation() []Case {
	return []Case{
		{"BadSettingsOfGenerator", badSettingsAreRefused("generator")},
		{"BadSettingsOfIngest", badSettingsAreRefused(ingest)},
		{"BadSettingsOfDetector", badSettingsAreRefused(detector)},
		{"BadCommandLinesAreRefused", BadCommandLinesAreRefused},
		{"HelpNamesEverySetting", HelpNamesEverySetting},
		{"EmptyVariablesAreUnset", EmptyVariablesAreUnset},
		{"SecretsStaySecret", SecretsStaySecret},
		{"FullMemoryPauses", FullMemoryPauses},
	}
}
