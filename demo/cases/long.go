package cases

// Long returns the cases that run on the newest real servers alone: they take many seconds each, most of them by
// waiting, or need what the embedded servers do not know.
func Long() []Case {
	return []Case{
		{"DrainsUnderLoad", DrainsUnderLoad(5)},
		{"ConsumersScaleUnderLoad", ConsumersScaleUnderLoad(1)},
		{"PagesStayUp", PagesStayUp},
		{"PoisonedCityDelaysNoOther", PoisonedCityDelaysNoOther},
		{"FrozenBrokerStallsItsCityAlone", FrozenBrokerStallsItsCityAlone},
		{"LargeRecordsCount", LargeRecordsCount},
		{"TimesOfTheBrokers", TimesOfTheBrokers},
	}
}
