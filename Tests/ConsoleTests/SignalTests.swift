import Console
import Foundation
import Testing

/// Signals are handled on a stack of their own: on the thread's, which may lie in the heap while a product is computed, they destroy it.
@Suite struct SignalTests {
    @Test func handlersHaveTheirOwnStack() {
        Interruption.catchSignals()
        Hangup.catchSignal()
        for number in [SIGINT, SIGTERM, SIGHUP] {
            var action = sigaction()
            #expect(sigaction(number, nil, &action) == 0 && action.sa_flags & Int32(SA_ONSTACK) != 0)
        }
        var stack = stack_t()
        #expect(sigaltstack(nil, &stack) == 0 && stack.ss_flags & Int32(SS_DISABLE) == 0)
        // With AMX the kernel pushes some 12 KiB.
        #expect(stack.ss_size >= 32 << 10)
    }

    /// SIGKILL cannot be handled.
    @Test func whatTheSystemRefusesIsNotPassedOver() async throws {
        let result = await #expect(processExitsWith: .failure, observing: [\.standardErrorContent]) {
            handleSignals([SIGKILL]) { _ in }
        }
        let told = String(decoding: try #require(result).standardErrorContent, as: UTF8.self)
        #expect(told.contains("sigaction for signals [9]: Invalid argument"), "\(told)")
    }
}
