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
    // One thread of the process makes all calls.
    int provided, length = 0;
    static char version[MPI_MAX_LIBRARY_VERSION_STRING + 1];
    MPI_Comm host;
    if (check(MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &provided))) return 1;
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

/// Waits for two requests. MPI's own wait keeps a core busy, and the decoders beside a trainer have use for it.
static int wait_for(MPI_Request *requests) {
    const double begin = seconds(), busy = 0.02;
    const struct timespec nap = {0, 200000};
    MPI_Status statuses[2];
    for (int done = 0;;) {
        if (check(MPI_Testall(2, requests, &done, statuses))) return 1;
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

/// Sends bytes to one rank and receives as many from another as that sends here; -1: to or from none.
int tandem_mpi_exchange(const void *sent, size_t sentCount, int to, void *received, size_t receivedCount, int from) {
    // Counts are ints.
    const size_t most = 1 << 28;
    if (to < 0) to = MPI_PROC_NULL;
    if (from < 0) from = MPI_PROC_NULL;
    do {
        size_t out = sentCount < most ? sentCount : most, in = receivedCount < most ? receivedCount : most;
        MPI_Request requests[2];
        if (check(MPI_Irecv(received, (int)in, MPI_BYTE, in ? from : MPI_PROC_NULL, 0, MPI_COMM_WORLD, &requests[0]))) return 1;
        if (check(MPI_Isend(sent, (int)out, MPI_BYTE, out ? to : MPI_PROC_NULL, 0, MPI_COMM_WORLD, &requests[1]))) return 1;
        if (wait_for(requests)) return 1;
        sent = (const char *)sent + out, sentCount -= out;
        received = (char *)received + in, receivedCount -= in;
    } while (sentCount || receivedCount);
    return 0;
}

/// MPI's own sum, in place.
int tandem_mpi_add_up(float *numbers, size_t count) {
    return check(MPI_Allreduce(MPI_IN_PLACE, numbers, (int)count, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD));
}

/// Leaves, once all ranks do.
int tandem_mpi_close(void) { return check(MPI_Finalize()); }
