#!/usr/bin/env bash
# make.sh FOLDER makes FOLDER/dcos, the real dcos command (dcoscli 0.6.1), in a virtual environment of its own.
set -euo pipefail

main() {
  local here folder=$1
  here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
  command -v python3 >/dev/null || { echo "python3 is missing (Debian and Ubuntu packages: python3 python3-venv)" >&2; exit 1; }
  mkdir -p "$folder"
  if [[ -e $folder/complete ]] && cmp -s "$here/requirements.txt" "$folder/complete"; then
    echo "the dcos command is in $folder"
  else
    rm -rf "$folder/venv" "$folder/complete"
    python3 -m venv "$folder/venv" || { echo "python3 cannot make a virtual environment (Debian and Ubuntu package: python3-venv)" >&2; exit 1; }
    "$folder/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps dcos==0.6.1 dcoscli==0.6.1
    # That the two are not content with what they get is known.
    "$folder/venv/bin/pip" install --quiet --disable-pip-version-check --requirement "$here/requirements.txt" 2>&1 | { grep -v -e 'requires' -e "pip's dependency resolver" || true; }
    cp "$here/requirements.txt" "$folder/complete"
  fi
  cp "$here/dcos" "$folder/dcos"
  "$folder/dcos" --version
}

main "$@"
