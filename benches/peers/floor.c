/* The floor: what the sockets alone cost. Reads each request to its blank line and sends a ready
 * response, on connections that are kept; one thread, one epoll. It parses nothing, looks nothing
 * up, decides nothing, writes nothing down. It has as many copies of the response as the others
 * have pages, and sends one after the other: what it sends is no more at hand than a page is.
 *
 * usage: floor PORT FILE COPIES      FILE holds the response, head and body
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
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum { DESCRIPTORS = 32768, EVENTS = 256 };

struct connection {
    int matched;      /* bytes of the blank line that have been seen */
    size_t asked;     /* responses that are still to be sent */
    size_t sent;      /* of the one that is being sent */
    size_t copy;      /* which that is */
    int waits;        /* for room to write */
};

static struct connection connections[DESCRIPTORS];
static char *responses;
static size_t length, copies, next;

static void die(const char *what) {
    perror(what);
    exit(1);
}

static void load(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END)) die(path);
    length = (size_t)ftell(file);
    rewind(file);
    responses = malloc(length * copies);
    if (!responses || !length || fread(responses, 1, length, file) != length) die(path);
    for (size_t copy = 1; copy < copies; copy++) memcpy(responses + copy * length, responses, length);
    fclose(file);
}

static int listens(uint16_t port) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    int one = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&address, sizeof address)) die("bind");
    if (listen(listener, 4096)) die("listen");
    return listener;
}

static void watch(int epoll, int how, int descriptor, uint32_t events) {
    struct epoll_event event = {.events = events, .data.fd = descriptor};
    if (epoll_ctl(epoll, how, descriptor, &event)) die("epoll_ctl");
}

static void accepts(int epoll, int listener) {
    int one = 1, descriptor = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
    if (descriptor < 0) return;
    if (descriptor >= DESCRIPTORS) {
        close(descriptor);
        return;
    }
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    connections[descriptor] = (struct connection){0};
    watch(epoll, EPOLL_CTL_ADD, descriptor, EPOLLIN);
}

/* Reads what is there and counts the requests in it; 0 if the client has left. */
static int reads(int descriptor) {
    static const char blank[] = "\r\n\r\n";
    struct connection *it = &connections[descriptor];
    char heard[16384];
    ssize_t count = recv(descriptor, heard, sizeof heard, 0);
    if (count <= 0) return count < 0 && errno == EAGAIN;
    for (ssize_t at = 0; at < count; at++) {
        it->matched = heard[at] == blank[it->matched] ? it->matched + 1 : heard[at] == '\r';
        if (it->matched == 4) it->asked++, it->matched = 0;
    }
    return 1;
}

/* Sends as much as there is room for; 0 if the client has left. */
static int writes(int descriptor) {
    struct connection *it = &connections[descriptor];
    while (it->asked) {
        if (!it->sent) it->copy = next++ % copies;
        const char *rest = responses + it->copy * length + it->sent;
        ssize_t count = send(descriptor, rest, length - it->sent, MSG_NOSIGNAL);
        if (count < 0) return errno == EAGAIN;
        it->sent += (size_t)count;
        if (it->sent == length) it->asked--, it->sent = 0;
    }
    return 1;
}

static void serves(int epoll, int descriptor, uint32_t events) {
    struct connection *it = &connections[descriptor];
    if ((!it->asked && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) && !reads(descriptor)) || !writes(descriptor)) {
        close(descriptor);
        return;
    }
    int waits = it->asked > 0;
    if (waits != it->waits) watch(epoll, EPOLL_CTL_MOD, descriptor, waits ? EPOLLOUT : EPOLLIN);
    it->waits = waits;
}

int main(int count, char **words) {
    copies = count == 4 ? strtoul(words[3], NULL, 10) : 0;
    if (!copies) return fprintf(stderr, "usage: floor PORT FILE COPIES\n"), 2;
    struct rlimit most;
    if (!getrlimit(RLIMIT_NOFILE, &most)) most.rlim_cur = most.rlim_max, setrlimit(RLIMIT_NOFILE, &most);
    load(words[2]);
    int listener = listens((uint16_t)atoi(words[1])), epoll = epoll_create1(0);
    watch(epoll, EPOLL_CTL_ADD, listener, EPOLLIN);
    for (;;) {
        struct epoll_event events[EVENTS];
        int ready = epoll_wait(epoll, events, EVENTS, -1);
        for (int at = 0; at < ready; at++) {
            if (events[at].data.fd == listener) accepts(epoll, listener);
            else serves(epoll, events[at].data.fd, events[at].events);
        }
    }
}
