/* Preloaded into a process whose machine shall show another time: CLOCK_SHIFT names a file with milliseconds that are added to the wall
 * clock, and may be changed while the process runs; all clocks go CLOCK_RATE times as fast as they do, from the steady nanosecond
 * CLOCK_SINCE on. How long the process sleeps stays as it is. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>

#define SECOND 1000000000LL

static int (*real_gettime)(clockid_t, struct timespec *);
static volatile int64_t none;
static volatile int64_t *shift_ms = &none;
static int64_t rate = 1;
static int64_t since;

__attribute__((constructor)) static void begin(void) {
  real_gettime = dlsym(RTLD_NEXT, "clock_gettime");
  const char *file = getenv("CLOCK_SHIFT");
  int fd = file ? open(file, O_RDONLY | O_CLOEXEC) : -1;
  void *page = fd < 0 ? MAP_FAILED : mmap(0, sizeof(int64_t), PROT_READ, MAP_SHARED, fd, 0);
  if (page == MAP_FAILED) abort();
  shift_ms = page;
  if (getenv("CLOCK_RATE")) rate = atoll(getenv("CLOCK_RATE"));
  if (getenv("CLOCK_SINCE")) since = atoll(getenv("CLOCK_SINCE"));
}

static int64_t nanos(clockid_t id) {
  struct timespec at;
  real_gettime(id, &at);
  return at.tv_sec * SECOND + at.tv_nsec;
}

int clock_gettime(clockid_t id, struct timespec *at) {
  if (!real_gettime) begin(); /* somebody's constructor came first */
  int wall = id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE;
  int steady = id == CLOCK_MONOTONIC || id == CLOCK_MONOTONIC_COARSE || id == CLOCK_MONOTONIC_RAW || id == CLOCK_BOOTTIME;
  if (!wall && !steady) return real_gettime(id, at);
  int64_t now = nanos(id);
  if (rate != 1) now += (nanos(CLOCK_MONOTONIC) - since) * (rate - 1);
  if (wall) now += *shift_ms * 1000000;
  at->tv_sec = now / SECOND;
  at->tv_nsec = now % SECOND;
  return 0;
}

int gettimeofday(struct timeval *restrict at, void *restrict zone) {
  (void)zone;
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  at->tv_sec = now.tv_sec;
  at->tv_usec = now.tv_nsec / 1000;
  return 0;
}

time_t time(time_t *at) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (at) *at = now.tv_sec;
  return now.tv_sec;
}
