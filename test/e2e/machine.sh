# The init process of a test machine (see machine.ts): private copies of the folders that a container runtime and CNI write
# to, so that the host keeps none of it. Lives until its standard input ends; then the kernel ends all that ran inside.
set -eu
scratch=$1
mount --make-rprivate /
mount -t tmpfs tmpfs "$scratch"
for folder in etc opt var/lib; do
  [ -d "/$folder" ] || continue
  mkdir -p "$scratch/$folder/upper" "$scratch/$folder/work"
  mount -t overlay overlay -o "lowerdir=/$folder,upperdir=$scratch/$folder/upper,workdir=$scratch/$folder/work" "/$folder"
done
mount -t tmpfs tmpfs /run
mkdir -p /run/lock /etc/cni/net.d /opt/cni/bin /var/lib/cni
# /sys must show the links of this machine's network namespace, and keep the control groups that runc needs.
mkdir "$scratch/cgroup"
mount --rbind /sys/fs/cgroup "$scratch/cgroup"
mount -t sysfs sysfs /sys
mount --rbind "$scratch/cgroup" /sys/fs/cgroup
ip link set lo up
echo ready
read -r _ || exit 0
