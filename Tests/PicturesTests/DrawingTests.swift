import Pictures
import Testing

@Suite struct DrawingTests {
    private let red = RGBColor(255, 0, 0)

    /// The red channel, row by row.
    private func reds(_ image: RGBImage) -> [[UInt8]] {
        (0..<image.height).map { y in (0..<image.width).map { image[$0, y].red } }
    }

    @Test func aPictureOfOneColour() {
        let image = RGBImage(width: 2, height: 1, color: RGBColor(1, 2, 3))
        #expect(image.pixels == [1, 2, 3, 1, 2, 3])
    }

    @Test func colorsMix() {
        #expect(RGBColor(0, 100, 255).mixed(with: RGBColor(255, 200, 255), 0.5) == RGBColor(128, 150, 255))
        #expect(RGBColor(10, 20, 30).mixed(with: .white, 0) == RGBColor(10, 20, 30))
        #expect(RGBColor(10, 20, 30).mixed(with: .white, 1) == .white)
        #expect(RGBColor(64, 0, 128).brightest == RGBColor(127, 0, 255))
        #expect(RGBColor.black.brightest == .black)
    }

    @Test func rectanglesAreFilledAndCutAtTheEdge() {
        var image = RGBImage(width: 3, height: 2, color: .black)
        image.fill(x: 1..<9, y: -4..<1, red, opacity: 0.4)
        #expect(reds(image) == [[0, 102, 102], [0, 0, 0]])
    }

    @Test func outlinesLieInside() {
        var image = RGBImage(width: 5, height: 4, color: .black)
        image.outline(x: 0..<5, y: 0..<4, width: 1, red)
        #expect(reds(image) == [[255, 255, 255, 255, 255], [255, 0, 0, 0, 255], [255, 0, 0, 0, 255], [255, 255, 255, 255, 255]])
        var beyond = RGBImage(width: 3, height: 3, color: .black)
        beyond.outline(x: -1..<2, y: -1..<2, width: 1, red)
        #expect(reds(beyond) == [[0, 255, 0], [255, 255, 0], [0, 0, 0]])
    }

    @Test func picturesAreDrawnAndCutAtTheEdge() {
        let small = RGBImage(width: 2, height: 2, pixels: [1, 0, 0, 2, 0, 0, 3, 0, 0, 4, 0, 0])
        var image = RGBImage(width: 3, height: 2, color: .black)
        image.draw(small, x: 2, y: -1)
        #expect(reds(image) == [[0, 0, 3], [0, 0, 0]])
        image.draw(small, x: -1, y: 0)
        #expect(reds(image) == [[2, 0, 3], [4, 0, 0]])
        image.draw(small, x: 5, y: 5)
        image.draw(small, x: -2, y: 0)
        #expect(reds(image) == [[2, 0, 3], [4, 0, 0]])
    }

    /// A line along pixel centres one pixel wide covers them whole, and its neighbours' centres, a whole pixel off, not at all.
    @Test func aThinLineCoversItsPixels() {
        var image = RGBImage(width: 5, height: 3, color: .black)
        image.line(from: Point(x: 1.5, y: 1.5), to: Point(x: 3.5, y: 1.5), width: 1, red)
        #expect(reds(image) == [[0, 0, 0, 0, 0], [0, 255, 255, 255, 0], [0, 0, 0, 0, 0]])
    }

    /// Between two rows, each row's centres are half a pixel away: reach 1 less 0.5.
    @Test func aLineBetweenRowsCoversHalf() {
        var image = RGBImage(width: 3, height: 2, color: .black)
        image.line(from: Point(x: -5, y: 1), to: Point(x: 9, y: 1), width: 1, red)
        #expect(reds(image) == [[128, 128, 128], [128, 128, 128]])
    }

    /// A disc of diameter 3 around a pixel's centre: reach 2; the neighbours at 1 are whole, those at √2 are 0.586 covered.
    @Test func aLineWithoutLengthIsADisc() {
        var image = RGBImage(width: 3, height: 3, color: .black)
        image.line(from: Point(x: 1.5, y: 1.5), to: Point(x: 1.5, y: 1.5), width: 3, red)
        #expect(reds(image) == [[149, 255, 149], [255, 255, 255], [149, 255, 149]])
    }

    @Test func linesFarOutsideAndWithoutPlaceDrawNothing() {
        var image = RGBImage(width: 2, height: 2, color: .black)
        image.line(from: Point(x: 1e300, y: 0), to: Point(x: 1e301, y: 5), width: 2, red)
        image.line(from: Point(x: .nan, y: 0), to: Point(x: 1, y: 1), width: 2, red)
        #expect(image == RGBImage(width: 2, height: 2, color: .black))
    }

    /// Right ankle to right knee, the two joints there are: an orange limb with black edges under white joints.
    @Test func aSkeletonHasTheLimbsOfItsJoints() {
        var joints = [Point?](repeating: nil, count: 15)
        joints[13] = Point(x: 2.5, y: 10.5)
        joints[9] = Point(x: 22.5, y: 10.5)
        joints[0] = Point(x: 40.5, y: 10.5)  // a neck without a limb
        var image = RGBImage(width: 50, height: 21, color: RGBColor(90, 90, 90))
        image.draw(Skeleton(joints: joints), width: 3)
        #expect(image[12, 10] == RGBColor(255, 128, 0))
        #expect(image[12, 8] == .black && image[12, 12] == .black)
        #expect(image[12, 7] == RGBColor(90, 90, 90))
        #expect(image[2, 10] == .white && image[22, 10] == .white && image[40, 10] == .white)
        #expect(image[31, 10] == RGBColor(90, 90, 90))

        var thin = RGBImage(width: 50, height: 21, color: RGBColor(90, 90, 90))
        thin.drawThin(Skeleton(joints: joints).scaled(x: 2, y: 0.5))
        // From (5, 5.25) to (45, 5.25): centres of row 5 lie 0.25 away, all black and then 0.75 white; those of row 4 0.75 away, 0.25 white.
        #expect((3...7).map { thin[25, $0].red } == [90, 64, 191, 45, 90])
    }

    @Test func limbsJoinNeighbours() {
        // Every joint but the five ends has at least two limbs, and 15 joints in one piece have 14 limbs.
        #expect(Skeleton.limbs.count == 14)
        let ends = (0..<15).filter { joint in Skeleton.limbs.count { $0.from == joint || $0.to == joint } == 1 }
        #expect(ends == [2, 11, 12, 13, 14])
    }
}
