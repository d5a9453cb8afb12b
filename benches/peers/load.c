/* A client that asks for pages, as fast as they come or at a fixed rate.
 *
 * usage: load PORT CONNECTIONS RATE COUNT PAGES PATH [FIELD]
 *
 * PATH may hold a %d, which is the number of a request, or the rest of it by PAGES if that isn't 0.
 * FIELD is one more line of each request. With a RATE (a second) request n is due
 * n/RATE seconds after the first, whatever became of those before it: its time counts from then,
 * though it had to wait for a connection ("open loop"). With 0 each connection asks again when it
 * has been answered. Prints one JSON object; times in microseconds.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { MOST = 1024, BUFFER = 65536, HEAD = 8192 };

struct connection {
    int descriptor;
    double due;            /* when its request was to be sent */
    char head[HEAD + 1];   /* of the answer, as far as it is there */
    size_t heard;
    long long left;        /* bytes of the body; -1: the head is not whole */
};

static struct connection connections[MOST];
static int idle[MOST], idles;
static const char *path, *field = "", *end_of_field = "";
static long long pages;
static double *times;
static long long answered, bad;

static void die(const char *what) {
    perror(what);
    exit(1);
}

static double now(void) {
    struct timespec at;
    clock_gettime(CLOCK_MONOTONIC, &at);
    return (double)at.tv_sec * 1e6 + (double)at.tv_nsec / 1e3;
}

static void opens(int at, uint16_t port, int epoll) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    struct epoll_event event = {.events = EPOLLIN, .data.u32 = (uint32_t)at};
    int one = 1, descriptor = socket(AF_INET, SOCK_STREAM, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (connect(descriptor, (struct sockaddr *)&address, sizeof address)) die("connect");
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (epoll_ctl(epoll, EPOLL_CTL_ADD, descriptor, &event)) die("epoll_ctl");
    connections[at].descriptor = descriptor;
    idle[idles++] = at;
}

static void asks(long long number, double due) {
    struct connection *it = &connections[idle[--idles]];
    const char *mark = strstr(path, "%d");
    char target[1024], request[4096];
    if (mark) snprintf(target, sizeof target, "%.*s%lld%s", (int)(mark - path), path,
                       pages ? number % pages : number, mark + 2);
    int length = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: site.test\r\n%s%s\r\n",
                          mark ? target : path, field, end_of_field);
    it->due = due, it->heard = 0, it->left = -1;
    if (send(it->descriptor, request, (size_t)length, MSG_NOSIGNAL) != length) die("send");
}

/* Takes in what belongs to the head; how many bytes that is. */
static size_t reads_head(struct connection *it, const char *data, size_t count) {
    size_t before = it->heard, taken = count < HEAD - before ? count : HEAD - before;
    memcpy(it->head + before, data, taken);
    it->head[it->heard = before + taken] = 0;
    char *end = strstr(it->head, "\r\n\r\n");
    if (!end) {
        if (it->heard == HEAD) errno = EMSGSIZE, die("a head");
        return taken;
    }
    *end = 0;
    char *told = strcasestr(it->head, "\r\ncontent-length:");
    int is_304 = !strncmp(it->head + 8, " 304", 4);
    bad += !is_304 && strncmp(it->head + 8, " 200", 4);
    it->left = is_304 ? 0 : told ? atoll(told + 17) : -2;
    if (it->left == -2) errno = EPROTO, die("an answer without a length");
    return (size_t)(end + 4 - it->head) - before;
}

static void reads(int at) {
    static char data[BUFFER];
    struct connection *it = &connections[at];
    ssize_t count = recv(it->descriptor, data, sizeof data, 0);
    if (count <= 0) errno = count ? errno : ECONNRESET, die("recv");
    size_t taken = it->left < 0 ? reads_head(it, data, (size_t)count) : 0;
    if (it->left < 0) return;
    it->left -= (long long)((size_t)count - taken);
    if (it->left > 0) return;
    times[answered++] = now() - it->due;
    idle[idles++] = at;
}

static int order(const void *one, const void *other) {
    double a = *(const double *)one, b = *(const double *)other;
    return (a > b) - (a < b);
}

int main(int words, char **word) {
    if (words != 7 && words != 8) {
        fprintf(stderr, "usage: load PORT CONNECTIONS RATE COUNT PAGES PATH [FIELD]\n");
        return 2;
    }
    int many = atoi(word[2]), epoll = epoll_create1(0);
    double rate = atof(word[3]);
    long long count = atoll(word[4]), sent = 0;
    pages = atoll(word[5]);
    path = word[6];
    if (words == 8) field = word[7], end_of_field = "\r\n";
    times = calloc((size_t)count, sizeof *times);
    if (many < 1 || many > MOST || count < 1 || !times) return 2;
    for (int at = 0; at < many; at++) opens(at, (uint16_t)atoi(word[1]), epoll);
    double began = now();
    while (answered < count) {
        for (double at = now(); idles && sent < count; sent++) {
            double due = rate > 0 ? began + (double)sent * 1e6 / rate : at;
            if (due > at) break;
            asks(sent, due);
        }
        struct epoll_event events[64];
        /* With a rate it doesn't sleep: it would wake too late for what is due next. */
        int ready = epoll_wait(epoll, events, 64, rate > 0 ? 0 : 10000);
        if (ready == 0 && rate == 0) errno = ETIMEDOUT, die("an answer");
        for (int at = 0; at < ready; at++) reads((int)events[at].data.u32);
    }
    double took = now() - began;
    qsort(times, (size_t)count, sizeof *times, order);
    printf("{\"requests\": %lld, \"bad\": %lld, \"seconds\": %.3f, \"p50\": %.1f, \"p99\": %.1f, \"most\": %.1f}\n",
           count, bad, took / 1e6, times[count / 2], times[count * 99 / 100], times[count - 1]);
    return 0;
}
