#!/bin/sh
# Makes sure that a Chromium is there for the browser tests. On Debian it is installed when the user may; elsewhere it says what to do.
set -e
for c in "$CHROMIUM" chromium chromium-browser google-chrome "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"; do
  if [ -n "$c" ] && command -v "$c" >/dev/null 2>&1; then exit 0; fi
done
if command -v apt-get >/dev/null 2>&1; then
  sudo=""
  [ "$(id -u)" = 0 ] || sudo="sudo"
  $sudo apt-get update -qq
  DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends chromium fonts-noto-cjk >/dev/null
  exit 0
fi
echo "The browser tests need Chromium: install it, or name it with CHROMIUM=/path/to/chromium" >&2
exit 1
