/// A view of elements in device memory that are no matrix of f32 or bf16: indices, bytes of images, scalars that sums go into.
///
/// Elements lie one behind the other. Copying an array copies the view, never the elements; the memory goes back to where it came from when
/// the last view of it is gone.
public struct DeviceArray<Element: BitwiseCopyable> {
    /// Number of elements.
    public let count: Int
    /// The first element, in the memory of the device that made it.
    public let address: UnsafeMutableRawPointer
    private let owner: AnyObject

    /// A view of the memory at `address`, which stays valid as long as `owner` lives.
    public init(count: Int, address: UnsafeMutableRawPointer, owner: AnyObject) {
        self.count = count
        self.address = address
        self.owner = owner
    }

    /// Some of the elements.
    public func elements(_ range: Range<Int>) -> DeviceArray {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "elements \(range) of \(count)")
        return DeviceArray(count: range.count, address: address + range.lowerBound * MemoryLayout<Element>.stride, owner: owner)
    }

    /// The same memory byte by byte.
    public var bytes: DeviceArray<UInt8> {
        DeviceArray<UInt8>(count: count * MemoryLayout<Element>.stride, address: address, owner: owner)
    }
}

/// Memory of a device, zero at first, given back when the last reference is gone.
final class DeviceMemory {
    /// The first byte, aligned to a cache line at least.
    let address: UnsafeMutableRawPointer
    /// Size in bytes.
    let byteCount: Int
    private let backend: any Backend

    /// Takes `byteCount` bytes from `backend`.
    init(byteCount: Int, backend: any Backend) {
        self.byteCount = byteCount
        self.backend = backend
        address = backend.allocate(byteCount: byteCount)
    }

    deinit { backend.deallocate(address, byteCount: byteCount) }
}
