package fakegrafana

import (
	"net/http"
	"strconv"
)

func (s *Server) add(source *Source) {
	source.ID, source.OrgID = s.next, 1
	s.next++
	if s.major >= 9 && source.UID == "" {
		source.UID = "P" + strconv.Itoa(source.ID) + "X7"
	}
	if s.major < 6 {
		source.UID = ""
	}
	s.sources = append(s.sources, source)
}

// shown is a data source without its secrets.
func shown(source *Source) Source {
	copied := *source
	copied.SecureJSONData, copied.Password = nil, ""
	return copied
}

func (s *Server) getSource(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, source := range s.sources {
		if source.Name == r.PathValue("name") {
			answer(w, http.StatusOK, shown(source))
			return
		}
	}
	complain(w, http.StatusNotFound, "Data source not found", "")
}

func (s *Server) postSource(w http.ResponseWriter, r *http.Request) {
	var source Source
	if !read(w, r, &source) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, other := range s.sources {
		if other.Name == source.Name || source.UID != "" && other.UID == source.UID {
			complain(w, http.StatusConflict, "data source with the same name already exists", "")
			return
		}
	}
	s.add(&source)
	body := map[string]any{"id": source.ID, "message": "Datasource added", "name": source.Name}
	if s.major >= 6 {
		body["datasource"] = shown(&source)
	}
	answer(w, http.StatusOK, body)
}

func (s *Server) putSource(w http.ResponseWriter, r *http.Request) {
	var source Source
	if !read(w, r, &source) {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i, old := range s.sources {
		if strconv.Itoa(old.ID) != r.PathValue("id") && (old.UID == "" || old.UID != r.PathValue("uid")) {
			continue
		}
		if old.ReadOnly {
			complain(w, http.StatusForbidden, "Cannot update read-only data source", "")
			return
		}
		source.ID, source.OrgID = old.ID, old.OrgID
		if source.UID == "" {
			source.UID = old.UID
		}
		s.sources[i] = &source
		answer(w, http.StatusOK, map[string]any{"datasource": shown(&source), "id": source.ID, "message": "Datasource updated", "name": source.Name})
		return
	}
	complain(w, http.StatusNotFound, "Data source not found", "")
}
