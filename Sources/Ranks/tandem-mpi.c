// What a training wants of MPI, in as few functions as it takes. The constants of MPI differ between its implementations, so this file is
// compiled by the mpicc of the site (make mpi), and the trainer loads it at run time: nobody else needs MPI.
#include <mpi.h>
#include <sched.h>
#include <stddef.h>
#include <stdio.h>
#include <time.h>

#ifndef TANDEM_LAUNCHER
#error "say which program starts the ranks: -DTANDEM_LAUNCHER='\"mpirun\"'"
#endif

/// The version of these functions; another one is not loaded.
int tandem_mpi_version(void) { return 1; }

/// The program that starts ranks of this MPI.
const char *tandem_mpi_launcher(void) { return TANDEM_LAUNCHER; }

static char message[MPI_MAX_ERROR_STRING + 1];

/// What the last call that returned no 0 has found.
const char *tandem_mpi_error(void) { return message; }

static int check(int status) {
    int length = 0;
    if (status == MPI_SUCCESS) return 0;
    if (MPI_Error_string(status, message, &length) != MPI_SUCCESS) snprintf(message, sizeof message, "error %d", status);
    return 1;
}

/// Joins the ranks that were started together. `hostCount` is the number of those on this host. `name` gets the library's version, 256 bytes at
/// most.
int tandem_mpi_open(int *rank, int *count, int *hostCount, char *name) {
    // One thread at a time makes calls.
    int provided, length = 0;
    static char version[MPI_MAX_LIBRARY_VERSION_STRING + 1];
    MPI_Comm host;
    if (check(MPI_Init_thread(NULL, NULL, MPI_THREAD_SERIALIZED, &provided))) return 1;
    if (provided < MPI_THREAD_SERIALIZED) {
        snprintf(message, sizeof message, "this MPI was built without support for threads");
        return 1;
    }
    if (check(MPI_Comm_set_errhandler(MPI_COMM_WORLD, MPI_ERRORS_RETURN))) return 1;
    if (check(MPI_Comm_rank(MPI_COMM_WORLD, rank)) || check(MPI_Comm_size(MPI_COMM_WORLD, count))) return 1;
    if (check(MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, *rank, MPI_INFO_NULL, &host))) return 1;
    if (check(MPI_Comm_size(host, hostCount))) return 1;
    if (check(MPI_Get_library_version(version, &length))) return 1;
    snprintf(name, 256, "%.255s", version);
    return 0;
}

static double seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec + 1e-9 * now.tv_nsec;
}

static double timeout;

/// Seconds after which a rank that does not answer is given up; 0: never.
void tandem_mpi_set_timeout(double limit) { timeout = limit; }

/// The pieces of a large message, and how many of them are under way at once: Open MPI sends one message over TCP in one direction at a time.
enum { PIECE = 1 << 19, PIECES = 16 };

/// Waits for requests, at most two for each piece. MPI's own wait keeps a core busy, and decoders and the threads that compute have use for it.
static int wait_for(MPI_Request *requests, int count) {
    const double begin = seconds(), busy = 0.02;
    const struct timespec nap = {0, 200000};
    MPI_Status statuses[2 * PIECES];
    for (int done = 0;;) {
        if (check(MPI_Testall(count, requests, &done, statuses))) return 1;
        if (done) return 0;
        double waited = seconds() - begin;
        if (timeout > 0 && waited > timeout) {
            snprintf(message, sizeof message, "no answer for %.0f s", waited);
            return 1;
        }
        if (waited < busy) sched_yield();
        else nanosleep(&nap, NULL);
    }
}

static size_t smaller(size_t a, size_t b) { return a < b ? a : b; }

/// Sends bytes to one rank and receives as many from another as that sends here; -1: to or from none.
int tandem_mpi_exchange(const void *sent, size_t sentCount, int to, void *received, size_t receivedCount, int from) {
    if (to < 0) sentCount = 0;
    if (from < 0) receivedCount = 0;
    while (sentCount || receivedCount) {
        MPI_Request requests[2 * PIECES];
        int count = 0;
        for (int piece = 0; piece < PIECES; piece++) {
            size_t out = smaller(sentCount, PIECE), in = smaller(receivedCount, PIECE);
            if (in && check(MPI_Irecv(received, (int)in, MPI_BYTE, from, 0, MPI_COMM_WORLD, &requests[count++]))) return 1;
            if (out && check(MPI_Isend(sent, (int)out, MPI_BYTE, to, 0, MPI_COMM_WORLD, &requests[count++]))) return 1;
            sent = (const char *)sent + out, sentCount -= out;
            received = (char *)received + in, receivedCount -= in;
        }
        if (wait_for(requests, count)) return 1;
    }
    return 0;
}

/// MPI's own sum, in place.
int tandem_mpi_add_up(float *numbers, size_t count) {
    return check(MPI_Allreduce(MPI_IN_PLACE, numbers, (int)count, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD));
}

/// Leaves, once all ranks do.
int tandem_mpi_close(void) { return check(MPI_Finalize()); }
