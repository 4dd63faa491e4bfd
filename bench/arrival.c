/* People who arrive with a cold cache: each asks for the page, then for every asset, one after the other
   on one connection that is kept alive, then opens the socket on another and waits for its first frame.

   cc -O2 -o arrival arrival.c
   arrival --port 8000 --people 16000 --within 20 --socket '/h/demo/socket?as=html' \
           --paths '/h/demo,/static/a.css,/static/b.js' [--sources N] [--seconds N]
   --within   they come evenly over so many seconds
   Says as one JSON line how long it took until all had their first frame, and when the page and the
   first frame came after a person's connection was begun. Its own CPU time stands there too. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { WAITING, ASKING, OPENING, HERE, FAILED };

typedef struct {
  int fd;
  uint8_t state, connected, started;
  uint16_t path;   /* which of the paths it asks for */
  int nhead;       /* bytes of the head that are kept */
  long left;       /* of the body; -1 = the head is not complete */
  double began, page, here;
  char head[1400];
} Person;

static const char *paths[64], *socket_path = "/";
static int npaths, port = 8000, people = 1000, sources = 8, ep, next_source;
static double within = 10, seconds = 60;
static Person *all;
static long failures, answers, bytes_in;

static double now_s(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

static void failed(Person *p, const char *why) {
  if (failures++ < 3) fprintf(stderr, "failed: %s (%s)\n", why, strerror(errno));
  if (p->fd >= 0) close(p->fd);
  p->fd = -1;
  p->state = FAILED;
}

static void begin(Person *p) {
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port)}, from = {.sin_family = AF_INET};
  int on = 1;
  inet_pton(AF_INET, "127.0.0.1", &to.sin_addr);
  from.sin_addr.s_addr = htonl(0x7f000002 + next_source++ % sources);
  p->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (p->fd < 0) { failed(p, "socket"); return; }
  setsockopt(p->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  if (bind(p->fd, (struct sockaddr *)&from, sizeof from)) { failed(p, "bind"); return; }
  if (connect(p->fd, (struct sockaddr *)&to, sizeof to) && errno != EINPROGRESS) { failed(p, "connect"); return; }
  p->connected = 0;
  p->nhead = 0;
  p->left = -1;
  struct epoll_event e = {.events = EPOLLIN | EPOLLOUT, .data.ptr = p};
  epoll_ctl(ep, EPOLL_CTL_ADD, p->fd, &e);
}

static void ask(Person *p) {
  char text[700];
  int n;
  if (p->state == ASKING)
    n = snprintf(text, sizeof text,
                 "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUser-Agent: Mozilla/5.0 (Linux; Android 13) Chrome/120\r\n"
                 "Accept: text/html,*/*;q=0.8\r\nAccept-Language: zh-CN,zh;q=0.9\r\nAccept-Encoding: gzip, deflate, br\r\n"
                 "Connection: keep-alive\r\n\r\n", paths[p->path], port);
  else
    n = snprintf(text, sizeof text,
                 "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                 "Origin: http://127.0.0.1:%d\r\nUser-Agent: Mozilla/5.0 (Linux; Android 13) Chrome/120\r\n"
                 "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n", socket_path, port, port);
  if (send(p->fd, text, n, MSG_NOSIGNAL) != n) failed(p, "send");
}

static void answered(Person *p) {
  answers++;
  if (p->path == 0) p->page = now_s();
  p->nhead = 0;
  p->left = -1;
  if (++p->path < npaths) { ask(p); return; }
  close(p->fd);
  p->state = OPENING;
  begin(p);
}

/* A piece of a response, or of the socket. */
static void take(Person *p, const char *data, long n) {
  bytes_in += n;
  while (n > 0 && p->state != FAILED) {
    if (p->left >= 0) {
      long some = n < p->left ? n : p->left;
      p->left -= some;
      data += some;
      n -= some;
      if (p->left == 0) { answered(p); if (n) failed(p, "more than was asked for"); return; }
      continue;
    }
    if (p->state == HERE) return;
    long room = (long)sizeof p->head - 1 - p->nhead, some = n < room ? n : room;
    memcpy(p->head + p->nhead, data, some);
    p->head[p->nhead + some] = 0;
    char *end = strstr(p->head, "\r\n\r\n");
    if (!end) {
      if (some == room) { failed(p, "a long head"); return; }
      p->nhead += some;
      return;
    }
    long used = end + 4 - p->head - p->nhead;
    data += used;
    n -= used;
    if (p->state == OPENING) {
      if (strncmp(p->head, "HTTP/1.1 101", 12)) { failed(p, p->head); return; }
      if (n == 0) { p->nhead = end + 4 - p->head; p->head[p->nhead - 1] = '\n'; }
      p->state = HERE;
      p->here = now_s();
      return;
    }
    char *length = strcasestr(p->head, "content-length:");
    if (strncmp(p->head, "HTTP/1.1 200", 12) || !length) { failed(p, p->head); return; }
    p->left = atol(length + 15);
    if (p->left == 0) { answered(p); return; }
  }
}

static int by_value(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return x < y ? -1 : x > y;
}

static void say(const char *name, size_t offset, int last) {
  double *found = malloc(sizeof(double) * people);
  int n = 0;
  for (int i = 0; i < people; i++) {
    double at = *(double *)((char *)&all[i] + offset);
    if (at > 0) found[n++] = (at - all[i].began) * 1000;
  }
  qsort(found, n, sizeof *found, by_value);
  printf("\"%s\":{\"n\":%d,\"p50_ms\":%.1f,\"p99_ms\":%.1f,\"max_ms\":%.1f}%s", name, n, n ? found[n / 2] : 0,
         n ? found[n * 99L / 100] : 0, n ? found[n - 1] : 0, last ? "" : ",");
  free(found);
}

int main(int argc, char **argv) {
  static char buffer[1 << 16];
  for (int i = 1; i + 1 < argc; i += 2) {
    char *name = argv[i], *value = argv[i + 1];
    if (!strcmp(name, "--port")) port = atoi(value);
    else if (!strcmp(name, "--people")) people = atoi(value);
    else if (!strcmp(name, "--within")) within = atof(value);
    else if (!strcmp(name, "--seconds")) seconds = atof(value);
    else if (!strcmp(name, "--sources")) sources = atoi(value);
    else if (!strcmp(name, "--socket")) socket_path = value;
    else if (!strcmp(name, "--paths")) {
      for (char *one = strtok(value, ","); one && npaths < 64; one = strtok(NULL, ",")) paths[npaths++] = one;
    } else { fprintf(stderr, "unknown: %s\n", name); return 2; }
  }
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  all = calloc(people, sizeof *all);
  ep = epoll_create1(0);
  double start = now_s(), last = start;
  int begun = 0, done = 0;
  struct epoll_event events[512];
  while (done < people && now_s() - start < seconds) {
    double t = now_s();
    while (begun < people && start + within * begun / people <= t) {
      Person *p = &all[begun++];
      p->began = t;
      p->state = ASKING;
      begin(p);
      if (p->state == FAILED) done++;
    }
    int n = epoll_wait(ep, events, 512, begun < people ? 1 : 20);
    for (int i = 0; i < n; i++) {
      Person *p = events[i].data.ptr;
      if (p->fd < 0) continue;
      uint8_t was = p->state;
      if (!p->connected && events[i].events & EPOLLOUT) {
        p->connected = 1;
        struct epoll_event e = {.events = EPOLLIN, .data.ptr = p};
        epoll_ctl(ep, EPOLL_CTL_MOD, p->fd, &e);
        ask(p);
      }
      if (p->fd >= 0 && p->connected && events[i].events & (EPOLLIN | EPOLLERR | EPOLLHUP)) {
        int fd = p->fd;
        ssize_t got = recv(fd, buffer, sizeof buffer, 0);
        if (got > 0) take(p, buffer, got);
        else if (got == 0 || (errno != EAGAIN && errno != EINTR)) failed(p, "closed");
      }
      if (p->state != was && (p->state == HERE || p->state == FAILED)) { done++; last = now_s(); }
    }
  }
  struct rusage used;
  getrusage(RUSAGE_SELF, &used);
  int here = 0;
  for (int i = 0; i < people; i++) here += all[i].state == HERE;
  printf("{\"people\":%d,\"here\":%d,\"failed\":%ld,\"took_s\":%.2f,\"answers\":%ld,\"mb\":%.0f,\"cpu_s\":%.2f,", people, here,
         failures, last - start, answers, bytes_in / 1e6,
         used.ru_utime.tv_sec + used.ru_stime.tv_sec + (used.ru_utime.tv_usec + used.ru_stime.tv_usec) / 1e6);
  say("page", offsetof(Person, page), 0);
  say("socket", offsetof(Person, here), 1);
  printf("}\n");
  return here == people ? 0 : 1;
}
