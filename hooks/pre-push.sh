#!/bin/sh
# dsreview-hook 1 @DIGEST@
# Reviews what is about to be pushed: git writes a line for each ref to standard input.
# `dsreview hook install` writes this file, `dsreview hook uninstall` removes it.
python='@PYTHON@'
package='@PACKAGE@'

if [ -x "$python" ] && [ -f "$package" ]; then
    exec "$python" -P -m dsreview hook run pre-push "$@"
fi
printf 'dsreview: not reviewed: %s; %s\n' "dsreview is gone from $python" \
    "install it again and run 'dsreview hook install', or remove $0" >&2
exit 0
