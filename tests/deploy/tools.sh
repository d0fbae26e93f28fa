# Installs what the parts need and builds the Go tools once; sourced by run.sh.
# shellcheck shell=bash

KUBECTL_VALIDATE=sigs.k8s.io/kubectl-validate@v0.0.4
KUBE_SCORE=github.com/zegl/kube-score/cmd/kube-score@v1.20.0
H2SPEC=github.com/summerwind/h2spec/cmd/h2spec@v2.2.1+incompatible
DOCKERFILELINT=dockerfilelint@1.8.0
# kubectl-validate carries schemas up to 1.30; those of newer versions come out of Kubernetes' own module.
SCHEMA_MODULES=(
  "1.31 k8s.io/kubernetes@v1.31.14"
  "1.35 k8s.io/kubernetes@v1.35.4"
)
CRD_MODULES=(
  "github.com/prometheus-operator/prometheus-operator@v0.85.0 example/prometheus-operator-crd/monitoring.coreos.com_podmonitors.yaml"
  "github.com/prometheus-operator/prometheus-operator@v0.85.0 example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml"
  "github.com/prometheus-operator/prometheus-operator@v0.85.0 example/prometheus-operator-crd/monitoring.coreos.com_prometheusrules.yaml"
  "github.com/cert-manager/cert-manager@v1.19.1 deploy/crds/cert-manager.io_certificates.yaml"
  "sigs.k8s.io/gateway-api@v1.4.0 config/crd/standard/gateway.networking.k8s.io_httproutes.yaml"
)

as_root() { if [[ $EUID -eq 0 ]]; then "$@"; elif command -v sudo >/dev/null; then sudo -n "$@"; else return 1; fi; }

# Package groups for the parts asked for.
package_groups() {
  case "$*" in
    *full*) echo 'core|run|full' ;;
    *run*) echo 'core|run' ;;
    core | '') echo core ;;
    *) echo 'core|run|full' ;;
  esac
}

# install_packages PART…: from the distribution; what cannot be had is skipped by name later on.
install_packages() {
  [[ ${EQUINOX_NO_INSTALL:-} == 1 ]] && return 0
  command -v apt-get >/dev/null || return 0
  local groups package
  local -a missing=()
  groups=$(package_groups "$*")
  while read -r package; do
    dpkg-query -W -f='${db:Status-Status}' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
  done < <(grep -E "^($groups) " "$HERE/apt-packages.txt" | cut -d' ' -f2)
  [[ ${#missing[@]} -gt 0 ]] || return 0
  echo "installing ${missing[*]}"
  # RUNLEVEL=1 keeps Debian's Prometheus from starting as a service.
  as_root env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 sh -c \
    'apt-get -qq -o DPkg::Lock::Timeout=600 update; apt-get -qq -y -o DPkg::Lock::Timeout=600 --no-install-recommends install "$@"' \
    apt "${missing[@]}" >"$SCRATCH/apt.log" 2>&1 || echo "some packages could not be installed: $(tail -n 1 "$SCRATCH/apt.log")"
}

has_go() {
  local version
  version=$(GOTOOLCHAIN=local go env GOVERSION 2>/dev/null) || return 1
  [[ $(printf '%s\ngo1.26\n' "${version%% *}" | sort -V | head -n 1) == go1.26 ]]
}

# built STAMP NAME COMMAND…: runs the command unless the tool is there and its stamp is the same.
built() {
  local stamp=$1 name=$2 began=$SECONDS
  shift 2
  [[ -x $TOOLS/$name && $(cat "$TOOLS/.$name.stamp" 2>/dev/null) == "$stamp" ]] && return 0
  if "$@" >"$SCRATCH/$name.log" 2>&1; then
    echo "$stamp" >"$TOOLS/.$name.stamp"
    echo "built $name in $((SECONDS - began)) s"
  else
    echo "cannot build $name: $(tail -n 1 "$SCRATCH/$name.log")"
  fi
}

# The linter of Dockerfiles, from npm.
build_dockerfilelint() {
  command -v npm >/dev/null || return 0
  [[ -x $TOOLS/npm/node_modules/.bin/dockerfilelint ]] ||
    npm install --prefix "$TOOLS/npm" --no-audit --no-fund --ignore-scripts --silent "$DOCKERFILELINT" >"$SCRATCH/npm.log" 2>&1 ||
    echo "cannot install $DOCKERFILELINT: $(tail -n 1 "$SCRATCH/npm.log")"
}

go_build() { (cd "$HERE/tools" && nice -n 15 go build -trimpath -ldflags '-s -w' -o "$TOOLS/" "$1"); }
go_install() { GOBIN=$TOOLS nice -n 15 go install -trimpath -ldflags '-s -w' "$1"; }

# build_tools PART…
build_tools() {
  mkdir -p "$TOOLS"
  [[ ${EQUINOX_NO_INSTALL:-} != 1 ]] || return 0
  build_dockerfilelint
  has_go || return 0
  export CGO_ENABLED=0 GOTOOLCHAIN=local GOFLAGS="-p=${EQUINOX_GO_JOBS:-1} -buildvcs=false"
  local sum
  sum=$(cat "$HERE"/tools/go.sum "$HERE"/tools/*/*.go | sha256sum | cut -c1-16)
  built "$sum" helm go_build helm.sh/helm/v3/cmd/helm
  built "$sum" helm-unittest go_build github.com/helm-unittest/helm-unittest/cmd/helm-unittest
  built "$sum" psscheck go_build ./psscheck
  # A module of its own: it needs older Kubernetes libraries than Helm.
  built "$KUBECTL_VALIDATE" kubectl-validate go_install "$KUBECTL_VALIDATE"
  built "$H2SPEC" h2spec go_install "$H2SPEC"
  # Only the slow group asks for it.
  case " $* " in *' full '* | *' practice '*) built "$KUBE_SCORE" kube-score go_install "$KUBE_SCORE" ;; esac
  collect_crds
  collect_schemas
}

module_folder() { (cd "$SCRATCH" && go mod download -json "$1" 2>/dev/null | jq -r '.Dir // empty') || true; }

# The custom resources the chart renders, taken out of their projects' modules.
collect_crds() {
  local entry module path
  mkdir -p "$TOOLS/crds"
  for entry in "${CRD_MODULES[@]}"; do
    read -r module path <<<"$entry"
    [[ -s $TOOLS/crds/${path##*/} ]] && continue
    local directory
    directory=$(module_folder "$module")
    if [[ -n $directory && -f $directory/$path ]]; then
      install -m 644 "$directory/$path" "$TOOLS/crds/"
    else
      echo "no custom resource from $module"
    fi
  done
}

# Schemas in kubectl-validate's layout: api/VERSION.json and apis/GROUP/VERSION.json.
collect_schemas() {
  local entry version module directory file name
  for entry in "${SCHEMA_MODULES[@]}"; do
    read -r version module <<<"$entry"
    [[ $(cat "$TOOLS/schemas/$version/.stamp" 2>/dev/null) == "$module" ]] && continue
    directory=$(module_folder "$module")
    if [[ ! -d $directory/api/openapi-spec/v3 ]]; then
      echo "no schemas from $module"
      continue
    fi
    rm -rf "$TOOLS/schemas/$version"
    for file in "$directory"/api/openapi-spec/v3/*__v*_openapi.json; do
      name=$(basename "$file" _openapi.json)
      install -D -m 644 "$file" "$TOOLS/schemas/$version/${name//__//}.json"
    done
    echo "$module" >"$TOOLS/schemas/$version/.stamp"
  done
}
