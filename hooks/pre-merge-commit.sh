#!/bin/sh
# dsreview-hook 1 @DIGEST@
# Reviews what a merge is about to commit.
# `dsreview hook install` writes this file, `dsreview hook uninstall` removes it.
python='@PYTHON@'
package='@PACKAGE@'

if [ -x "$python" ] && [ -f "$package" ]; then
    exec "$python" -P -m dsreview hook run pre-merge-commit "$@"
fi
printf 'dsreview: not reviewed: %s; %s\n' "dsreview is gone from $python" \
    "install it again and run 'dsreview hook install', or remove $0" >&2
exit 0
