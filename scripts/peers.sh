#!/bin/sh
# Runs the tests of cmd/weir that let other people's programs ship to weir: logger, rsyslog, OpenTelemetry's exporters, Filebeat. What
# is not there is fetched below the folder that is named first, where that can be done (Debian's packages, unpacked and not installed;
# Python's packages in an environment of their own). The rest is skipped, and the test says so.
set -e
dir="$1"
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)

if [ -z "$WEIR_RSYSLOGD" ] && ! command -v rsyslogd >/dev/null 2>&1 && command -v apt-get >/dev/null 2>&1 && command -v dpkg >/dev/null 2>&1; then
  if [ ! -x "$dir/rsyslog/usr/sbin/rsyslogd" ]; then
    (cd "$dir" && { apt-get download -qq rsyslog rsyslog-kafka rsyslog-elasticsearch libestr0 libfastjson4 liblognorm5 librdkafka1 libcurl4 2>/dev/null ||
      { apt-get update -qq && apt-get download -qq rsyslog rsyslog-kafka rsyslog-elasticsearch libestr0 libfastjson4 liblognorm5 librdkafka1 libcurl4; }; } &&
      for deb in *.deb; do dpkg -x "$deb" rsyslog; done) || echo "peers: rsyslog cannot be fetched" >&2
  fi
  if [ -x "$dir/rsyslog/usr/sbin/rsyslogd" ]; then
    export WEIR_RSYSLOGD="$dir/rsyslog/usr/sbin/rsyslogd"
    lib=$(dirname "$(find "$dir/rsyslog" -name 'libestr.so.0' | head -1)")
    WEIR_RSYSLOG_MODULES=$(dirname "$(find "$dir/rsyslog" -name imuxsock.so | head -1)")
    export WEIR_RSYSLOG_MODULES LD_LIBRARY_PATH="$lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
  fi
fi

if [ -z "$WEIR_OTEL" ] && command -v python3 >/dev/null 2>&1; then
  if [ ! -x "$dir/otel/bin/python" ]; then
    { python3 -m venv "$dir/otel" && "$dir/otel/bin/pip" install -q opentelemetry-sdk opentelemetry-exporter-otlp-proto-http opentelemetry-exporter-otlp-proto-grpc; } ||
      echo "peers: OpenTelemetry's exporters cannot be fetched" >&2
  fi
  export WEIR_OTEL="$dir/otel/bin/python"
fi

${GO:-go} test -tags peers -count=1 -timeout 20m -v -run TestPeer ./cmd/weir
