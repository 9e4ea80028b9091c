package fakegrafana

import "net/http"

func (s *Server) dashboard(uid string) *Dashboard {
	for _, d := range s.dashboards {
		if d.UID == uid {
			return d
		}
	}
	return nil
}

func (s *Server) getDashboard(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.dashboard(r.PathValue("uid"))
	if d == nil {
		complain(w, http.StatusNotFound, "Dashboard not found", "")
		return
	}
	meta := map[string]any{"type": "db", "slug": "a", "version": d.Version, "folderId": d.FolderID, "provisioned": d.Provisioned}
	if s.major >= 8 {
		meta["folderUid"] = d.FolderUID
	}
	model := map[string]any{"version": d.Version}
	for name, value := range d.Model {
		if name != "version" {
			model[name] = value
		}
	}
	// Grafana writes meta first.
	answer(w, http.StatusOK, struct {
		Meta      any `json:"meta"`
		Dashboard any `json:"dashboard"`
	}{meta, model})
}

// save is a request to save a dashboard.
type save struct {
	Dashboard map[string]any
	FolderID  int
	FolderUID string
	Overwrite bool
}

func (s *Server) postDashboard(w http.ResponseWriter, r *http.Request) {
	var request save
	if !read(w, r, &request) {
		return
	}
	uid, _ := request.Dashboard["uid"].(string)
	title, _ := request.Dashboard["title"].(string)
	if id, ok := request.Dashboard["id"]; title == "" || ok && id != nil {
		complain(w, http.StatusNotFound, "Dashboard not found", "not-found")
		return
	}
	s.mu.Lock()
	meddle := s.meddle
	s.mu.Unlock()
	if meddle != nil {
		meddle(uid)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	d, ok := s.place(w, uid, title, request)
	if !ok {
		return
	}
	d.Title, d.Model, d.FolderID, d.FolderUID = title, request.Dashboard, request.FolderID, request.FolderUID
	d.Version++
	answer(w, http.StatusOK, map[string]any{"id": 1, "uid": d.UID, "status": "success", "version": d.Version, "url": "/d/" + d.UID})
}

// place finds or makes the dashboard that a request saves. As in Grafana before 12, a title is unique in its folder,
// and who asks to overwrite also overwrites another dashboard with the title.
func (s *Server) place(w http.ResponseWriter, uid, title string, request save) (*Dashboard, bool) {
	if s.major < 12 {
		for _, other := range s.dashboards {
			if other.Title == title && other.UID != uid && other.FolderID == request.FolderID {
				if request.Overwrite {
					return other, true
				}
				complain(w, http.StatusPreconditionFailed, "A dashboard with the same name in the folder already exists", "name-exists")
				return nil, false
			}
		}
	}
	d := s.dashboard(uid)
	if d == nil {
		d = &Dashboard{UID: uid}
		s.dashboards = append(s.dashboards, d)
		return d, true
	}
	if d.Provisioned {
		complain(w, http.StatusBadRequest, "Cannot save provisioned dashboard", "")
		return nil, false
	}
	if version, _ := request.Dashboard["version"].(float64); !request.Overwrite && int(version) != d.Version {
		complain(w, http.StatusPreconditionFailed, "The dashboard has been changed by someone else", "version-mismatch")
		return nil, false
	}
	return d, true
}
