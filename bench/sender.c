/* The floor of the benchmarks: a bare C server that sends one ready frame to every connection, one
   `send` each, and does nothing else. What a frame costs here is what the kernel costs.

   cc -O2 -o sender sender.c
   sender PORT BYTES FRAMES_A_SECOND (0 = the next begins when one is sent to all) SECONDS VIEWERS
   Waits until VIEWERS have joined, sends for SECONDS, and says what it took as one JSON line. */

#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
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

static double now_s(void) {
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

static double cpu(void) {
  struct rusage r;
  getrusage(RUSAGE_SELF, &r);
  return r.ru_utime.tv_sec + r.ru_stime.tv_sec + (r.ru_utime.tv_usec + r.ru_stime.tv_usec) / 1e6;
}

static int *fds, joined, capacity;

static void turn(int ep, int listening, int ms) {
  static struct epoll_event events[1024];
  static char request[65536];
  int n = epoll_wait(ep, events, 1024, ms);
  for (int i = 0; i < n; i++) {
    int fd = events[i].data.fd;
    if (fd == listening) {
      int one = 1, peer;
      while ((peer = accept4(listening, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
        setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        struct epoll_event e = {.events = EPOLLIN, .data.fd = peer};
        epoll_ctl(ep, EPOLL_CTL_ADD, peer, &e);
      }
      continue;
    }
    ssize_t k = read(fd, request, sizeof request);
    if (k <= 0) { close(fd); continue; }
    if (k > 4 && !strncmp(request, "GET ", 4) && joined < capacity) {
      /* The accept value belongs to the one key that the crowd uses (RFC 6455, 1.3). */
      static const char answer[] = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                   "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
      if (write(fd, answer, sizeof answer - 1) > 0) fds[joined++] = fd;
    }
  }
}

int main(int argc, char **argv) {
  if (argc != 6) return 2;
  int port = atoi(argv[1]), size = atoi(argv[2]);
  double rate = atof(argv[3]), seconds = atof(argv[4]);
  capacity = atoi(argv[5]);
  fds = calloc(capacity, sizeof *fds);
  int listening = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1, buffer = 16384;
  setsockopt(listening, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  setsockopt(listening, SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer); /* as the server under test */
  struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  if (bind(listening, (void *)&here, sizeof here) || listen(listening, 4096)) { perror("bind"); return 1; }
  int ep = epoll_create1(0);
  struct epoll_event e = {.events = EPOLLIN, .data.fd = listening};
  epoll_ctl(ep, EPOLL_CTL_ADD, listening, &e);
  fprintf(stderr, "ready\n");
  while (joined < capacity) turn(ep, listening, 100);

  char *frame = malloc(size + 16);
  int head = size < 126 ? 2 : 4;
  frame[0] = (char)0x81;
  if (size < 126) frame[1] = (char)size;
  else { frame[1] = 126; frame[2] = (char)(size >> 8); frame[3] = (char)size; }
  double t0 = now_s() + 1;
  while (now_s() < t0) turn(ep, listening, 20);
  double c0 = cpu();
  long sent = 0, full = 0, rounds = 0;
  while (now_s() - t0 < seconds) {
    int n = snprintf(frame + head, size, "{\"type\":\"pulse\",\"at\":%.0f,\"pad\":\"", now_s() * 1000);
    memset(frame + head + n, 'x', size - n - 2);
    memcpy(frame + head + size - 2, "\"}", 2);
    for (int i = 0; i < joined; i++) {
      if (send(fds[i], frame, head + size, MSG_NOSIGNAL) == head + size) sent++;
      else full++;
    }
    rounds++;
    double next = rate > 0 ? t0 + rounds / rate : 0;
    do turn(ep, listening, rate > 0 && next > now_s() ? (int)((next - now_s()) * 1000) : 0);
    while (rate > 0 && now_s() < next);
  }
  double took = now_s() - t0, used = cpu() - c0;
  printf("{\"sent\":%ld,\"full\":%ld,\"per_s\":%.0f,\"cpu_s\":%.3f,\"share\":%.3f,\"us_a_frame\":%.2f}\n", sent, full,
         sent / took, used, used / took, used / sent * 1e6);
  return 0;
}
