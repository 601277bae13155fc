/**
 * Builds the jail from within: a small root of its own that holds the system's programs and what was named, then the program without
 * capabilities. Arguments: how many folders, each as `ro:/path` or `rw:/path`, the working folder, the network, PATH, the command line.
 * Of /etc only what programs need to start is there. The old root is left under a name until the folders are bound, as the new one
 * covers /tmp, where they may lie.
 */
export const jailScript = `
set -eu
mount --make-rprivate /
mount -t tmpfs -o mode=755,size=1g,nosuid,nodev tmpfs /tmp
bind() { mkdir -p "$2"; mount --rbind "$1" "$2"; mount -o remount,bind,ro "$2" 2>/dev/null || true; }
cd /tmp
for name in usr bin sbin lib lib32 lib64 libx32; do
  if [ -L "/$name" ]; then ln -s "$(readlink "/$name")" "$name"; elif [ -d "/$name" ]; then bind "/$name" "$name"; fi
done
mkdir etc
for path in /etc/alternatives /etc/fonts /etc/java* /etc/ssl/certs /etc/python3* /etc/jupyter /etc/ipython /etc/chromium* /etc/ld.so.conf.d /var/cache/fontconfig; do
  if [ -d "$path" ]; then bind "$path" ".$path"; fi
done
files='/etc/ld.so.cache /etc/ld.so.conf /etc/localtime /etc/timezone /etc/nsswitch.conf /etc/mime.types'
shift_count=$1; shift
folders=
while [ "$shift_count" -gt 0 ]; do
  shift_count=$((shift_count - 1))
  # One a line: a path may hold anything but a line break, which is refused with the rest of its name.
  folders="$folders$1
"
  shift
done
cwd=$1; network=$2; path=$3; shift 3
if [ "$network" = open ]; then files="$files /etc/resolv.conf /etc/hosts /etc/host.conf /etc/gai.conf"; fi
for file in $files; do
  if [ -f "$file" ]; then : >".$file"; mount --bind "$(readlink -f "$file")" ".$file"; fi
done
printf 'user:x:0:0:user:/tmp:/bin/sh\\n' >etc/passwd
printf 'user:x:0:\\n' >etc/group
mkdir dev dev/shm proc tmp .old
chmod 1777 dev/shm
for name in null zero full random urandom; do : >"dev/$name"; mount --bind "/dev/$name" "dev/$name"; done
ln -s /proc/self/fd dev/fd
mount --rbind /proc proc
# To root the kernel's settings are files of its own, whatever else it may not do.
mount -o remount,bind,ro,nosuid,nodev,noexec proc
pivot_root . .old
cd /
chmod 1777 /tmp
while IFS= read -r folder; do
  [ -n "$folder" ] || continue
  where=\${folder#??:}
  mkdir -p "$where"
  mount --bind "/.old$where" "$where"
  case $folder in ro:*) mount -o remount,bind,ro "$where" 2>/dev/null || true ;; esac
done <<END
$folders
END
umount -l /.old
rmdir /.old
cd "$cwd"
PATH=$path
export PATH
exec setpriv --bounding-set=-all --inh-caps=-all --no-new-privs -- "$@"
`;
