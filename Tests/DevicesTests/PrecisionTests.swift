import Base
import Compute
import Devices
import TestBackends
import Testing

@Suite struct PrecisionTests {
    @Test func aPrecisionThatADeviceLacksIsRefusedWithASentence() throws {
        let backend = NaiveBackend(precisions: [.f32])
        try backend.require(.f32)
        #expect(throws: Failure("products in bf16 are not to be had on this device (formulas in double precision): take f32")) {
            try backend.require(.bf16)
        }
    }

    @Test(arguments: Device.allCases, Precision.allCases) func devicesOpen(device: Device, precision: Precision) throws {
        #expect(try device.makeBackend(threads: 1, for: precision).precisions.contains(precision))
    }
}
