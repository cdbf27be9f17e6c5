package ingest

import "slices"

// builder reads a processor's options.
type builder struct {
	name  string
	build func(o *options) processor
}

// processors are the types there are.
func processors() []builder {
	return []builder{
		{"append", newAppend},
		{"bytes", newBytes},
		{"convert", newConvert},
		{"csv", newCSV},
		{"date", newDate},
		{"date_index_name", newDateIndexName},
		{"dissect", newDissect},
		{"dot_expander", newDotExpander},
		{"drop", newDrop},
		{"fail", newFail},
		{"fingerprint", newFingerprint},
		{"foreach", newForeach},
		{"geoip", newGeoIP},
		{"grok", newGrok},
		{"gsub", newGsub},
		{"html_strip", newHTMLStrip},
		{"join", newJoin},
		{"json", newJSON},
		{"kv", newKV},
		{"lowercase", newLowercase},
		{"pipeline", newPipeline},
		{"registered_domain", newRegisteredDomain},
		{"remove", newRemove},
		{"rename", newRename},
		{"reroute", newReroute},
		{"script", newScript},
		{"set", newSet},
		{"sort", newSort},
		{"split", newSplit},
		{"terminate", newTerminate},
		{"trim", newTrim},
		{"uppercase", newUppercase},
		{"uri_parts", newURIParts},
		{"urldecode", newURLDecode},
		{"user_agent", newUserAgent},
	}
}

// find is the builder of a type, nil when there is none.
func find(name string) func(o *options) processor {
	list := processors()
	if i := slices.IndexFunc(list, func(b builder) bool { return b.name == name }); i >= 0 {
		return list[i].build
	}
	return nil
}

// Names lists the types of processors.
func Names() []string {
	var out []string
	for _, b := range processors() {
		out = append(out, b.name)
	}
	return out
}

// StepStat is what a processor of a pipeline has done.
type StepStat struct {
	Name, Type           string
	Count, Failed, Nanos int64
}

// StepStats are the counters of the pipeline's processors, in order.
func (p *Pipeline) StepStats() []StepStat {
	var out []StepStat
	for _, s := range p.Steps {
		name := s.Type
		if s.Tag != "" {
			name += ":" + s.Tag
		}
		out = append(out, StepStat{name, s.Type, s.Stats.Count.Load(), s.Stats.Failed.Load(), s.Stats.Nanos.Load()})
	}
	return out
}
