import Console
import Foundation
import Testing

/// In processes of their own, for limits last as long as a process.
@Suite struct SystemMemoryTests {
    @Test func aLimitAboveTheHardOneIsRefused() async {
        await #expect(processExitsWith: .success) {
            var limit = rlimit(rlim_cur: 4 << 30, rlim_max: 4 << 30)
            #expect(setrlimit(__rlimit_resource_t(RLIMIT_DATA.rawValue), &limit) == 0)
            // The superuser could raise it.
            if getuid() == 0 { #expect(setuid(65534) == 0) }
            #expect {
                try SystemMemory.limit(to: 5 << 30)
            } throws: {
                "\($0)"
                    == "the system refuses a limit of 5.00 GiB: Operation not permitted; "
                    + "it allows at most 4.00 GiB (ulimit -H -d): ask for no more"
            }
            try SystemMemory.limit(to: 3 << 30)
            #expect(getrlimit(__rlimit_resource_t(RLIMIT_DATA.rawValue), &limit) == 0 && limit.rlim_max == 3 << 30)
        }
    }

    @Test func aLimitThatLeavesNothingIsRefused() async {
        await #expect(processExitsWith: .success) {
            #expect {
                try SystemMemory.limit(to: 2 << 20)
            } throws: {
                "\($0)".hasPrefix("2.0 MiB are too few: ") && "\($0)".contains(" are taken already; give ")
            }
        }
    }
}
