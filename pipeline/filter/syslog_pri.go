package filter

import (
	"strconv"

	"github.com/weirlog/weir/event"
	"github.com/weirlog/weir/pipeline/plugin"
)

var syslogPriOptions = []plugin.Option{
	{Name: "syslog_pri_field_name", Kind: plugin.Field, Doc: "Field with the number; default syslog_pri, with ECS [log][syslog][priority]."},
	{Name: "use_labels", Kind: plugin.Boolean, Default: "true", Doc: "Whether names are set beside the numbers."},
	{Name: "facility_labels", Kind: plugin.Array, Doc: "Names of the facilities."},
	{Name: "severity_labels", Kind: plugin.Array, Doc: "Names of the severities."},
}

type syslogPri struct {
	source                         *event.Path
	facility, severity             *event.Path
	facilityName, severityName     *event.Path
	labels                         bool
	facilityLabels, severityLabels []string
}

// unsetPriority is user-level, notice: what a message without a priority has.
const unsetPriority = 13

func newSyslogPri(a *plugin.Args, env *plugin.Env) Filter {
	f := &syslogPri{labels: a.Bool("use_labels"), source: a.Field("syslog_pri_field_name"), facilityLabels: a.Strings("facility_labels"), severityLabels: a.Strings("severity_labels")}
	if len(f.facilityLabels) == 0 {
		f.facilityLabels = []string{"kernel", "user-level", "mail", "daemon", "security/authorization", "syslogd", "line printer", "network news", "uucp", "clock",
			"security/authorization", "ftp", "ntp", "log audit", "log alert", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6", "local7"}
	}
	if len(f.severityLabels) == 0 {
		f.severityLabels = []string{"emergency", "alert", "critical", "error", "warning", "notice", "informational", "debug"}
	}
	source, base := "syslog_pri", [4]string{"syslog_facility_code", "syslog_severity_code", "syslog_facility", "syslog_severity"}
	if a.ECS(env) {
		source = "[log][syslog][priority]"
		base = [4]string{"[log][syslog][facility][code]", "[log][syslog][severity][code]", "[log][syslog][facility][name]", "[log][syslog][severity][name]"}
	}
	if f.source == nil {
		f.source = event.MustPath(source)
	}
	f.facility, f.severity = event.MustPath(base[0]), event.MustPath(base[1])
	f.facilityName, f.severityName = event.MustPath(base[2]), event.MustPath(base[3])
	return f
}

func (f *syslogPri) Filter(e *event.Event) Result {
	pri, ok := f.priority(e)
	if !ok || pri < 0 || pri>>3 > 23 {
		return fail(e, []string{"_syslogpriparsefailure"})
	}
	fac, sev := int(pri>>3), int(pri&7)
	e.Set(f.facility, event.Int(int64(fac)))
	e.Set(f.severity, event.Int(int64(sev)))
	if f.labels {
		if fac < len(f.facilityLabels) {
			e.Set(f.facilityName, event.String(f.facilityLabels[fac]))
		}
		if sev < len(f.severityLabels) {
			e.Set(f.severityName, event.String(f.severityLabels[sev]))
		}
	}
	return Matched
}

func (f *syslogPri) priority(e *event.Event) (int64, bool) {
	v, ok := e.Get(f.source)
	if ok && v.Kind() == event.ListKind {
		l := e.Batch().Elems(v)
		if ok = len(l) > 0; ok {
			v = l[0]
		}
	}
	if !ok || v.IsNil() {
		return unsetPriority, true
	}
	if v.Kind() == event.IntKind {
		return v.Int64(), true
	}
	n, err := strconv.ParseInt(e.Batch().Text(v), 10, 64)
	return n, err == nil
}
