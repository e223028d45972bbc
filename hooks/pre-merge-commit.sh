#!/bin/sh
# dsreview-hook 2 @DIGEST@
# Reviews what a merge is about to commit.
# `dsreview hook install` writes this file, `dsreview hook uninstall` removes it.
python='@PYTHON@'
package='@PACKAGE@'
problem="dsreview is gone from $python"
if [ -x "$python" ] && [ -f "$package" ]; then
    "$python" -E -P -m dsreview.cli.native_hook pre-merge-commit "$@"
    case $? in 0) exit 0 ;; 99) exit 1 ;; 130) exit 130 ;; esac # no others are its own
    problem="dsreview does not run with $python"
fi
printf 'dsreview: not reviewed: %s; %s\n' "$problem" \
    "install it again and run 'dsreview hook install', or remove $0" >&2
exit 0
