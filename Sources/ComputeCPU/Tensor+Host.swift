import Compute

// The processor's device memory is the host's: only here are its addresses read.

extension Tensor {
    /// The elements of an f32 tensor.
    var pointer: UnsafeMutablePointer<Float> {
        precondition(precision == .f32, "\(shape) is \(precision), not f32")
        return address.assumingMemoryBound(to: Float.self)
    }
}

extension DeviceArray {
    /// The elements.
    var pointer: UnsafeMutablePointer<Element> { address.assumingMemoryBound(to: Element.self) }

    /// The elements as a collection.
    var elements: UnsafeBufferPointer<Element> { UnsafeBufferPointer(start: pointer, count: count) }
}
