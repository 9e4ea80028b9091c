package cases

// Long returns the cases that take many seconds each, most of them by waiting, and that show what does not
// depend on the kind of servers: they run once, on the newest real ones.
func Long() []Case {
	return []Case{
		{"PagesStayUp", PagesStayUp},
	}
}
