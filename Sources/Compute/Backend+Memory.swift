// Arrays in memory of their own, and the ways between host and device that follow from those of bytes.

extension Backend {
    /// A tensor of zeros in memory of its own, apart from any arena.
    public func tensor(_ shape: [Int], _ precision: Precision = .f32) -> Tensor {
        let memory = DeviceMemory(byteCount: shape.reduce(precision.byteCount, *), backend: self)
        return Tensor(shape: shape, precision: precision, address: memory.address, owner: memory)
    }

    /// An array of zeros in memory of its own, apart from any arena.
    public func array<Element>(of type: Element.Type, count: Int) -> DeviceArray<Element> {
        let memory = DeviceMemory(byteCount: count * MemoryLayout<Element>.stride, backend: self)
        return DeviceArray(count: count, address: memory.address, owner: memory)
    }

    /// Copies numbers of the host into an f32 tensor, which has as many.
    public func upload(_ target: Tensor, from numbers: [Float]) {
        precondition(target.precision == .f32, "\(target.shape) is \(target.precision), not f32")
        numbers.withUnsafeBytes { upload(target.bytes, from: $0) }
    }

    /// Copies elements of the host into an array, which has as many.
    public func upload<Element: BitwiseCopyable>(_ target: DeviceArray<Element>, from elements: [Element]) {
        elements.withUnsafeBytes { upload(target.bytes, from: $0) }
    }

    /// The numbers of an f32 tensor.
    public func download(_ source: Tensor) -> [Float] {
        precondition(source.precision == .f32, "\(source.shape) is \(source.precision), not f32")
        return download(source.bytes, as: Float.self)
    }

    /// The elements of an array.
    public func download<Element: BitwiseCopyable>(_ source: DeviceArray<Element>) -> [Element] {
        download(source.bytes, as: Element.self)
    }

    /// Copies the numbers of `source` to `target`, a tensor of the same size and precision.
    public func copy(_ target: Tensor, _ source: Tensor) {
        precondition(
            target.precision == source.precision && target.count == source.count, "cannot copy \(source.shape) to \(target.shape)")
        copy(target.bytes, source.bytes)
    }

    private func download<Element: BitwiseCopyable>(_ source: DeviceArray<UInt8>, as type: Element.Type) -> [Element] {
        let count = source.count / MemoryLayout<Element>.stride
        return [Element](unsafeUninitializedCapacity: count) { elements, initializedCount in
            download(source, to: UnsafeMutableRawBufferPointer(start: elements.baseAddress, count: source.count))
            initializedCount = count
        }
    }
}
