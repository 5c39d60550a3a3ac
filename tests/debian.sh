# Debian packages of any suite or architecture into a folder: downloaded by apt and unpacked, never installed.
# Sourced; needs apt-get and dpkg-deb, no root. Mirrors are those of the machine's own sources.

# The machine's mirrors: the first of the distribution, or of its security updates.
debian_mirror() { # [security]
    local uris
    uris=$(sed -nE 's/^URIs: *([^ ]+).*/\1/p; s/^deb( \[[^]]*\])? +([^ ]+).*/\2/p' \
        /etc/apt/sources.list /etc/apt/sources.list.d/*.sources /etc/apt/sources.list.d/*.list 2>/dev/null |
        grep -E '/debian(-security)?/?$')
    if [ "${1-}" = security ]; then grep -m1 -- '-security' <<<"$uris"; else grep -m1 -v -- '-security' <<<"$uris"; fi
}

# debian_apt FOLDER ARCHITECTURES COMMAND… ; the lists of FOLDER/sources.list
debian_apt() {
    local folder=$1 arch archs=() tool=$3
    for arch in $2; do archs+=(-o "APT::Architectures::=$arch"); done
    shift 3
    "$tool" -o "Dir::Etc::sourcelist=$folder/sources.list" -o Dir::Etc::sourceparts=/dev/null \
        -o "Dir::State=$folder/state" -o "Dir::State::status=$folder/status" -o "Dir::Cache=$folder/cache" \
        -o APT::Get::List-Cleanup=0 -o "APT::Architecture=amd64" "${archs[@]}" "$@"
}

# debian_lists FOLDER ARCHITECTURES SUITE… ; SUITE-security is looked for at the security mirror
debian_lists() {
    local folder=$1 archs=$2 suite mirror key=/usr/share/keyrings/debian-archive-keyring.gpg
    shift 2
    mkdir -p "$folder/state/lists/partial" "$folder/cache/archives/partial"
    : >"$folder/status"
    for suite in "$@"; do
        case $suite in *-security) mirror=$(debian_mirror security) ;; *) mirror=$(debian_mirror) ;; esac
        [ -n "$mirror" ] || { echo 'no Debian mirror among the sources of apt' >&2; return 1; }
        printf 'deb [signed-by=%s] %s %s main\n' "$key" "$mirror" "$suite"
    done >"$folder/sources.list"
    debian_apt "$folder" "$archs" apt-get update
}

# debian_unpack FOLDER ARCHITECTURES ROOT PACKAGE… ; PACKAGE may be NAME:ARCH
debian_unpack() {
    local folder=$1 archs=$2 root=$3 deb
    shift 3
    rm -rf "$folder/debs" && mkdir -p "$folder/debs" "$root" || return 1
    (cd "$folder/debs" && debian_apt "$folder" "$archs" apt-get download "$@") || return 1
    for deb in "$folder"/debs/*.deb; do dpkg-deb -x "$deb" "$root" || return 1; done
    rm -rf "$folder/debs"
}
