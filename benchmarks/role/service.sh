# The same by hand, for the floor: one login, one program. Arguments: what, folder, services, word.
set -eu
what=$1 folder=$2 services=$3 word=$4
packages=(bash coreutils findutils grep gzip sed tar)
groups=(adm daemon mail nogroup tape users video)

write() { # path, mode; the content on standard input
    local new
    new=$(cat; echo .) && new=${new%.}
    if [ ! -f "$1" ] || [ "$(cat "$1"; echo .)" != "$new." ]; then printf %s "$new" > "$1"; fi
    if [ "$(stat -c %a "$1")" != "$2" ]; then chmod "$2" "$1"; fi
}

folder() { # path, mode
    if [ ! -d "$1" ]; then mkdir "$1"; fi
    if [ "$(stat -c %a "$1")" != "$2" ]; then chmod "$2" "$1"; fi
}

line() { # path, line
    if ! grep -qxF "$2" "$1" 2> /dev/null; then echo "$2" >> "$1"; fi
}

link() { # path, target
    if [ "$(readlink "$1")" != "$2" ]; then ln -sfn "$2" "$1"; fi
}

service() {
    local number=$1 to="$folder/service$1"
    if ! dpkg-query -W -f '${Status}\n' "${packages[$number]}" | grep -q ' installed$'; then
        apt-get install -y "${packages[$number]}"
    fi
    if ! getent group "${groups[$number]}" > /dev/null; then groupadd "${groups[$number]}"; fi
    folder "$to" 750
    for _ in $(seq 50); do echo "content $number"; done | write "$to/content" 640
    {
        printf '# Service %s\nword = %s\n' "$number" "$word"
        for port in 0 1 2; do echo "listen = 127.0.0.1:$((8000 + port + number))"; done
    } | write "$to/settings.conf" 640
    line "$to/lines" "setting$number=1"
    link "$to/current" "$to/content"
    if [ -e "$to/old" ]; then rm "$to/old"; fi
    if [ ! -e "$to/ready" ]; then echo prepared > "$to/ready"; fi
}

case $what in
role) for ((number = 0; number < services; number++)); do service "$number"; done ;;
modules)
    folder "$folder/service" 750
    for _ in $(seq 50); do echo content; done | write "$folder/service/content" 640
    line "$folder/service/lines" setting=1
    link "$folder/service/current" "$folder/service/content"
    ;;
raw) echo "done" > "$folder/done" ;;
sleep) sleep 5 && echo "done" > "$folder/done" ;;
esac
