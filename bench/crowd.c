/* The crowd of the benchmarks: thousands of WebSocket viewers in one process, one epoll loop.

   It joins, reads what it is sent, votes when told to, and says as one JSON line what it saw. It is
   written in C so that it takes a small part of a core where the server under test needs a whole
   one; what it took stands in the line (`cpu_s`), and so does what was delivered (`frames_per_s`).

   A latency is the time of arrival minus the frame's own `at` (milliseconds since 1970, the same
   clock on one machine), or from sending a vote to its ack.

   cc -O2 -o crowd crowd.c
   crowd --port 8000 --path '/h/demo/socket?as=json' --viewers 16000 --seconds 20 [--host 127.0.0.1]
         [--rate JOINS_A_SECOND] [--sources N] [--tokens FILE --round ID --choice KEY
          --votes N --within SECONDS --window N] [--hold FILE]
   --sources   source addresses 127.0.0.2 … are used in turn: one has only some 28,000 ports
   --tokens    one viewer token a line; each vote takes the next one
   --votes     how many votes in all; --within spreads them over so many seconds (0 = as fast as
               acks come back, --window of them under way at once)
   --hold      after joining, waits until FILE exists before it begins to measure */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { FREE, CONNECTING, SHAKING, JOINED, GONE };
enum { CUE, PULSE, SNAPSHOT, ACK, REFUSAL, UNKNOWN, OTHER, TYPES };
static const char *const TYPE[TYPES] = {"cue", "pulse", "snapshot", "ack", "refusal", "unknown", "other"};

#define HEAD 192 /* of a frame's payload: `type`, `at`, `version` stand there */
typedef struct {
  int fd;
  uint8_t state, op, nhead, started;
  uint8_t header[14];
  uint8_t nheader;
  uint64_t left;    /* payload bytes still to come of the present frame */
  char head[HEAD];  /* its first bytes; while shaking hands, the tail of the response */
  double voted;     /* when the vote under way was sent, 0 = none */
  double connected; /* when connecting began */
  long version;     /* of the last cue or snapshot, -1 = none */
} Conn;

static const char *host = "127.0.0.1", *path = "/", *tokens_file, *round_id, *choice, *hold;
static int port = 8000, viewers = 1000, sources = 8, window = 1000;
static double rate, seconds = 10, within;
static long votes;

static Conn *conns;
static int ep;
static char **tokens;
static long ntokens;

/* Latencies in 1/10 ms up to 60 s. */
#define BUCKETS 600000
static uint32_t *lat[TYPES], *ack_lat, *join_lat;
static long seen[TYPES], in_window[TYPES], bytes_in, gaps, repeats, lost, pings;
static int measuring;

static double now_s(void) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

static void put(uint32_t *h, double ms) {
  long i = (long)(ms * 10);
  h[i < 0 ? 0 : i >= BUCKETS ? BUCKETS - 1 : i]++;
}

static double quantile(const uint32_t *h, double q) {
  long n = 0, at = 0;
  for (long i = 0; i < BUCKETS; i++) n += h[i];
  if (!n) return -1;
  long want = (long)(q * n);
  if (want >= n) want = n - 1;
  for (long i = 0; i < BUCKETS; i++)
    if ((at += h[i]) > want) return i / 10.0;
  return BUCKETS / 10.0;
}

static void drop(Conn *c) {
  if (c->state == JOINED) lost++;
  close(c->fd);
  c->state = GONE;
}

static void begin(Conn *c, int i) {
  c->fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (c->fd < 0) { perror("socket"); exit(1); }
  int one = 1;
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  struct sockaddr_in from = {.sin_family = AF_INET}, to = {.sin_family = AF_INET, .sin_port = htons(port)};
  if (!strncmp(host, "127.", 4)) {
    int bind_later = 1;
    setsockopt(c->fd, IPPROTO_IP, 24 /* IP_BIND_ADDRESS_NO_PORT */, &bind_later, sizeof bind_later);
    from.sin_addr.s_addr = htonl(0x7f000002u + (unsigned)(i % sources));
    if (bind(c->fd, (void *)&from, sizeof from)) { perror("bind"); exit(1); }
  }
  inet_pton(AF_INET, host, &to.sin_addr);
  c->state = CONNECTING;
  c->connected = now_s();
  c->version = -1;
  if (connect(c->fd, (void *)&to, sizeof to) && errno != EINPROGRESS) { c->state = GONE; close(c->fd); return; }
  struct epoll_event e = {.events = EPOLLOUT | EPOLLIN, .data.ptr = c};
  epoll_ctl(ep, EPOLL_CTL_ADD, c->fd, &e);
}

static void shake(Conn *c) {
  char text[2048];
  int n = snprintf(text, sizeof text,
                   "GET %s HTTP/1.1\r\nHost: %s:%d\r\nOrigin: http://%s:%d\r\nUpgrade: websocket\r\n"
                   "Connection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
                   "Sec-WebSocket-Version: 13\r\n\r\n",
                   path, host, port, host, port);
  struct epoll_event e = {.events = EPOLLIN, .data.ptr = c};
  epoll_ctl(ep, EPOLL_CTL_MOD, c->fd, &e);
  c->state = SHAKING;
  if (write(c->fd, text, n) != n) drop(c);
}

static int masked(char *out, int op, const char *text, int n) {
  int o = 0;
  out[o++] = (char)(0x80 | op);
  if (n < 126) out[o++] = (char)(0x80 | n);
  else { out[o++] = (char)(0x80 | 126); out[o++] = (char)(n >> 8); out[o++] = (char)n; }
  uint32_t key = (uint32_t)random();
  memcpy(out + o, &key, 4);
  const uint8_t *k = (uint8_t *)out + o;
  o += 4;
  for (int i = 0; i < n; i++) out[o + i] = (char)(text[i] ^ k[i & 3]);
  return o + n;
}

static long next_token, acked;
static void vote(Conn *c) {
  char text[600], frames[1300];
  unsigned long key[2] = {((unsigned long)random() << 31) ^ (unsigned long)random(), ((unsigned long)random() << 31) ^ (unsigned long)random()};
  int n = snprintf(text, sizeof text, "{\"type\":\"viewer\",\"viewer\":\"%s\"}", tokens[next_token++]);
  int o = masked(frames, 1, text, n);
  n = snprintf(text, sizeof text, "{\"type\":\"vote\",\"round\":\"%s\",\"choice\":\"%s\",\"key\":\"%016lx%08lx\"}", round_id,
               choice, key[0], key[1] & 0xffffffff);
  o += masked(frames + o, 1, text, n);
  c->voted = now_s();
  if (write(c->fd, frames, o) != o) drop(c);
}

static void frame_done(Conn *c) {
  char *h = c->head;
  h[c->nhead < HEAD ? c->nhead : HEAD - 1] = 0;
  if (c->op == 8) { drop(c); return; }
  if (c->op == 9) {
    char pong[200];
    int n = masked(pong, 10, h, c->nhead < 125 ? c->nhead : 125);
    pings++;
    if (write(c->fd, pong, n) != n) drop(c);
    return;
  }
  int t = OTHER;
  if (!strncmp(h, "{\"type\":\"", 9))
    for (int i = 0; i < OTHER; i++)
      if (!strncmp(h + 9, TYPE[i], strlen(TYPE[i])) && h[9 + strlen(TYPE[i])] == '"') t = i;
  seen[t]++;
  double t_now = now_s();
  char *at = strstr(h, "\"at\":");
  if (measuring) {
    in_window[t]++;
    if (at) put(lat[t], t_now * 1000 - strtod(at + 5, NULL));
  }
  if (t == CUE || t == SNAPSHOT) {
    char *v = strstr(h, "\"version\":");
    if (v) {
      long version = strtol(v + 10, NULL, 10);
      if (t == CUE && c->version >= 0) {
        if (version > c->version + 1) gaps++;
        if (version <= c->version) repeats++;
      }
      c->version = version;
    }
  }
  if ((t == ACK || t == REFUSAL || t == UNKNOWN) && c->voted) {
    put(ack_lat, (t_now - c->voted) * 1000);
    c->voted = 0;
    acked++;
  }
}

static void take(Conn *c, const char *p, ssize_t n) {
  bytes_in += n;
  while (n > 0 && c->state == JOINED) {
    if (!c->started) {
      c->header[c->nheader++] = (uint8_t)*p++;
      n--;
      int need = 2;
      if (c->nheader >= 2) need = (c->header[1] & 127) == 126 ? 4 : (c->header[1] & 127) == 127 ? 10 : 2;
      if (c->nheader < 2 || c->nheader < need) continue;
      c->left = c->header[1] & 127;
      if (need > 2) {
        c->left = 0;
        for (int i = 2; i < need; i++) c->left = c->left << 8 | c->header[i];
      }
      c->op = c->header[0] & 15;
      c->started = 1;
      c->nhead = 0;
    } else {
      ssize_t k = (ssize_t)c->left < n ? (ssize_t)c->left : n;
      ssize_t room = HEAD - 1 - c->nhead;
      if (room > 0) {
        ssize_t m = k < room ? k : room;
        memcpy(c->head + c->nhead, p, m);
        c->nhead += m;
      }
      p += k;
      n -= k;
      c->left -= k;
    }
    if (c->started && !c->left) {
      c->started = 0;
      c->nheader = 0;
      frame_done(c);
    }
  }
}

static int joined, failed;
static void readable(Conn *c) {
  static char buffer[262144];
  ssize_t n = read(c->fd, buffer, sizeof buffer);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n <= 0) {
    if (c->state == SHAKING) failed++;
    drop(c);
    return;
  }
  if (c->state == SHAKING) {
    char *end = memmem(buffer, n, "\r\n\r\n", 4);
    if (!end || strncmp(buffer, "HTTP/1.1 101", 12)) { failed++; drop(c); return; }
    c->state = JOINED;
    joined++;
    put(join_lat, (now_s() - c->connected) * 1000);
    end += 4;
    take(c, end, buffer + n - end);
    return;
  }
  take(c, buffer, n);
}

static void turn(int ms) {
  static struct epoll_event events[1024];
  int n = epoll_wait(ep, events, 1024, ms);
  for (int i = 0; i < n; i++) {
    Conn *c = events[i].data.ptr;
    if (c->state == GONE) continue;
    if (c->state == CONNECTING) {
      if (events[i].events & (EPOLLERR | EPOLLHUP)) { failed++; drop(c); }
      else if (events[i].events & EPOLLOUT) shake(c);
    } else readable(c);
  }
}

static double cpu(void) {
  struct rusage r;
  getrusage(RUSAGE_SELF, &r);
  return r.ru_utime.tv_sec + r.ru_stime.tv_sec + (r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

static const char *arg(int argc, char **argv, const char *name, const char *otherwise) {
  for (int i = 1; i + 1 < argc; i++)
    if (!strcmp(argv[i], name)) return argv[i + 1];
  return otherwise;
}

static void read_tokens(void) {
  FILE *f = fopen(tokens_file, "r");
  if (!f) { perror(tokens_file); exit(1); }
  tokens = malloc(sizeof(char *) * (votes + 1));
  char line[300];
  while (ntokens < votes && fgets(line, sizeof line, f)) {
    line[strcspn(line, "\n")] = 0;
    tokens[ntokens++] = strdup(line);
  }
  fclose(f);
  if (ntokens < votes) { fprintf(stderr, "only %ld tokens\n", ntokens); exit(1); }
}

int main(int argc, char **argv) {
  host = arg(argc, argv, "--host", host);
  path = arg(argc, argv, "--path", path);
  port = atoi(arg(argc, argv, "--port", "8000"));
  viewers = atoi(arg(argc, argv, "--viewers", "1000"));
  seconds = atof(arg(argc, argv, "--seconds", "10"));
  rate = atof(arg(argc, argv, "--rate", "0"));
  sources = atoi(arg(argc, argv, "--sources", "8"));
  tokens_file = arg(argc, argv, "--tokens", NULL);
  round_id = arg(argc, argv, "--round", "");
  choice = arg(argc, argv, "--choice", "");
  votes = atol(arg(argc, argv, "--votes", "0"));
  within = atof(arg(argc, argv, "--within", "0"));
  window = atoi(arg(argc, argv, "--window", "1000"));
  hold = arg(argc, argv, "--hold", NULL);
  srandom((unsigned)time(NULL) ^ (unsigned)getpid());
  ep = epoll_create1(0);
  conns = calloc(viewers, sizeof *conns);
  for (int i = 0; i < TYPES; i++) lat[i] = calloc(BUCKETS, sizeof **lat);
  ack_lat = calloc(BUCKETS, sizeof *ack_lat);
  join_lat = calloc(BUCKETS, sizeof *join_lat);
  if (votes) read_tokens();

  /* Joining: at the wished rate by deadline, or as fast as 256 under way allow. */
  double t0 = now_s(), cpu0 = cpu();
  int begun = 0;
  while (joined + failed < viewers && now_s() - t0 < 120) {
    while (begun < viewers && (rate > 0 ? begun < (now_s() - t0) * rate : begun - joined - failed < 256)) {
      begin(&conns[begun], begun);
      if (conns[begun].state == GONE) failed++;
      begun++;
    }
    turn(rate > 0 ? 1 : 5);
  }
  double joining = now_s() - t0, joining_cpu = cpu() - cpu0;
  fprintf(stderr, "joined %d, failed %d in %.2f s\n", joined, failed, joining);
  while (hold && access(hold, F_OK)) turn(20);

  /* Measuring. */
  measuring = 1;
  double m0 = now_s(), mcpu = cpu();
  long bytes0 = bytes_in, cast = 0;
  int turn_of = 0;
  while (votes ? (acked < votes && now_s() - m0 < seconds + within) : now_s() - m0 < seconds) {
    if (votes) {
      long due = within > 0 ? (long)((now_s() - m0) / within * votes) : acked + window;
      if (due > votes) due = votes;
      for (int tried = 0; cast < due && tried < viewers; tried++) {
        Conn *c = &conns[turn_of++ % viewers];
        if (c->state != JOINED || c->voted) continue;
        vote(c);
        cast++;
      }
    }
    turn(votes ? 1 : 20);
  }
  double took = now_s() - m0, used = cpu() - mcpu;
  long frames = 0;
  for (int i = 0; i < TYPES; i++) frames += in_window[i];
  printf("{\"viewers\":%d,\"joined\":%d,\"failed\":%d,\"lost\":%ld,\"join_s\":%.3f,\"join_cpu_s\":%.3f,"
         "\"join_p99_ms\":%.1f,\"seconds\":%.3f,\"frames\":%ld,\"frames_per_s\":%.0f,\"bytes\":%ld,\"cpu_s\":%.3f,"
         "\"gaps\":%ld,\"repeats\":%ld,\"pings\":%ld",
         viewers, joined, failed, lost, joining, joining_cpu, quantile(join_lat, .99), took, frames, frames / took,
         bytes_in - bytes0, used, gaps, repeats, pings);
  for (int i = 0; i < TYPES; i++)
    if (in_window[i])
      printf(",\"%s\":{\"n\":%ld,\"p50_ms\":%.1f,\"p99_ms\":%.1f,\"max_ms\":%.1f}", TYPE[i], in_window[i],
             quantile(lat[i], .5), quantile(lat[i], .99), quantile(lat[i], 1));
  if (votes)
    printf(",\"votes\":{\"cast\":%ld,\"answered\":%ld,\"per_s\":%.0f,\"p50_ms\":%.1f,\"p99_ms\":%.1f,\"max_ms\":%.1f}", cast,
           acked, acked / took, quantile(ack_lat, .5), quantile(ack_lat, .99), quantile(ack_lat, 1));
  printf("}\n");
  return 0;
}
