# Sourced by scripts/setup, which has `say`, `have` and `cache`: FoundationDB's own packages, from the releases of its project.
# shellcheck shell=bash disable=SC2154
foundationdb_version=7.3.79
# SHA-256 of the packages as apple/foundationdb publishes them. Where they were first taken from (c6d3f6d) was not noted. On 2026-11-29 they were compared with what other projects in the index of public
# repositories pin for 7.3.79: two have those of amd64, one has those of aarch64 as well, and all are equal. Neither the packages nor the sums beside them (`NAME.deb.sha256`) could be had there.
# To check them again, or for another version (both architectures):
#   gh release download 7.3.79 --repo apple/foundationdb --pattern 'foundationdb-[cs]*_7.3.79-1_*.deb*' && sha256sum *.deb && cat *.deb.sha256
declare -A foundationdb_sha256=(
  [foundationdb-clients_7.3.79-1_amd64.deb]=52cc22565c42e7eb60c08f395a0626483735c311be0d80b7c035ac8e328e2fff
  [foundationdb-server_7.3.79-1_amd64.deb]=f85a4126a76919a4dd6194e69bc29200d0d4fa3d7b5261e7eb91c090b7fdba55
  [foundationdb-clients_7.3.79-1_aarch64.deb]=52de6931803c322e131c5e84cebb35d647237ef51a7df3df6fbe32b9b971e7fb
  [foundationdb-server_7.3.79-1_aarch64.deb]=d92ecf9ebb5cba4b4c06ee3c74c44d31871957a1fb35a1efb662836ae7c87025
)

# get_foundationdb → $cache/foundationdb: unpacked and not installed: nothing starts a server, and no other FoundationDB is replaced. It is moved there when it is whole: nothing of it is left
# where one of the packages cannot be had or is another than the one that was published. 1: it is not there, and why was said.
get_foundationdb() {
  local architecture draft status=0
  case "$(dpkg --print-architecture)" in
    amd64) architecture=amd64 ;;
    arm64) architecture=aarch64 ;;
    *) say "FoundationDB has no package for $(dpkg --print-architecture)" && return 1 ;;
  esac
  have gh || { say 'not tried to get FoundationDB: its packages are at the releases of its project, which gh (the command line of GitHub) downloads'; return 1; }
  mkdir -p "$cache" && draft=$(mktemp -d "$cache/foundationdb.XXXXXX") || return 1
  (
    trap 'exit 130' INT TERM HUP
    unpack_foundationdb "$architecture" "$draft" && sort_foundationdb "$draft" && chmod 755 "$draft" && rm -rf "$cache/foundationdb" && mv "$draft" "$cache/foundationdb"
  ) || status=$?
  rm -rf "$draft"
  [ "$status" -ne 130 ] || exit 130
  return "$status"
}

# unpack_foundationdb ARCHITECTURE FOLDER → FOLDER/files
unpack_foundationdb() {
  local package file
  for package in clients server; do
    file=foundationdb-${package}_$foundationdb_version-1_$1.deb
    say "getting $file"
    if ! gh release download "$foundationdb_version" --repo apple/foundationdb --pattern "$file" --dir "$2"; then
      say "$file could not be got: see the message of gh above (without an account it downloads nothing: gh auth login)"
    elif ! (cd "$2" && printf '%s  %s\n' "${foundationdb_sha256[$file]}" "$file" | sha256sum --check --quiet --strict -); then
      say "$file is not what was published: its SHA-256 is not the one in scripts/foundationdb-packages.sh; it is thrown away"
    elif ! dpkg-deb -x "$2/$file" "$2/files"; then
      say "$file could not be unpacked"
    else
      continue
    fi
    return 1
  done
}

# sort_foundationdb FOLDER: FOLDER/files → FOLDER/bin, FOLDER/lib
sort_foundationdb() {
  local name
  mkdir -p "$1/bin" "$1/lib"
  find "$1/files" -type f \( -name fdbserver -o -name fdbcli -o -name fdbbackup -o -name backup_agent \) -exec mv {} "$1/bin/" \;
  # One program under several names, of which a package has some as links.
  [ -e "$1/bin/fdbbackup" ] || [ ! -e "$1/bin/backup_agent" ] || mv "$1/bin/backup_agent" "$1/bin/fdbbackup"
  for name in backup_agent fdbrestore fdbdr dr_agent; do
    [ ! -e "$1/bin/fdbbackup" ] || [ -e "$1/bin/$name" ] || ln -s fdbbackup "$1/bin/$name"
  done
  find "$1/files" -type f -name libfdb_c.so -exec mv {} "$1/lib/" \;
  rm -rf "$1/files" "$1"/*.deb
  for name in bin/fdbserver bin/fdbcli bin/fdbbackup lib/libfdb_c.so; do
    [ -e "$1/$name" ] || { say "the packages of FoundationDB have no $(basename "$name")"; return 1; }
  done
}
