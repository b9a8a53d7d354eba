import Pictures
import Testing

@Suite struct SheetTests {
    /// The red channel, row by row.
    private func reds(_ image: RGBImage) -> [[UInt8]] {
        (0..<image.height).map { y in (0..<image.width).map { image[$0, y].red } }
    }

    private func grey(_ rows: [[UInt8]]) -> RGBImage {
        RGBImage(width: rows[0].count, height: rows.count, pixels: rows.flatMap { $0.flatMap { [$0, $0, $0] } })
    }

    @Test func picturesStandInTheMiddleOfTheirCells() {
        let images = [grey([[1, 1], [1, 1], [1, 1]]), grey([[2]]), grey([[3]]), grey([[4, 4, 4]]), grey([[5, 5]])]
        #expect(
            reds(contactSheet(images, columns: 2, margin: 1)) == [
                [255, 255, 255, 255, 255, 255, 255, 255],
                [255, 1, 1, 255, 255, 255, 255, 255],
                [255, 1, 1, 255, 255, 2, 255, 255],
                [255, 1, 1, 255, 255, 255, 255, 255],
                [255, 255, 255, 255, 255, 255, 255, 255],
                [255, 3, 255, 255, 4, 4, 4, 255],
                [255, 255, 255, 255, 255, 255, 255, 255],
                [255, 5, 5, 255, 255, 255, 255, 255],
                [255, 255, 255, 255, 255, 255, 255, 255],
            ])
    }

    @Test func aSheetIsNoWiderThanItsPictures() {
        #expect(contactSheet([grey([[1]])], columns: 4, margin: 2).width == 5)
    }

    @Test(arguments: [(4, 10, [0, 3, 6, 9]), (3, 4, [0, 2, 3]), (5, 3, [0, 1, 2]), (1, 7, [0]), (2, 7, [0, 6]), (3, 0, [])])
    func framesAreEvenlySpaced(count: Int, total: Int, expected: [Int]) {
        #expect(evenlySpaced(count, of: total) == expected)
    }

    /// Triangles over two sources on either side: of 4 pixels to 2 the weights are 3/7, 3/7, 1/7 at the border.
    @Test func shrinkingTakesMeans() {
        // Centre 1, support 2: distances .5, .5, 1.5 weigh .75, .75, .25. (.75·0 + .75·70 + .25·140) / 1.75 = 50.
        #expect(reds(grey([[0, 70, 140, 210]]).resized(width: 2, height: 1)) == [[50, 160]])
        #expect(reds(grey([[0], [70], [140], [210]]).resized(width: 1, height: 2)) == [[50], [160]])
    }

    /// Of 2 pixels to 4 the centres lie at .25, .75, 1.25, 1.75 of the old ones, whose own are .5 and 1.5.
    @Test func growingIsLinear() {
        #expect(reds(grey([[0, 100]]).resized(width: 4, height: 1)) == [[0, 25, 75, 100]])
    }

    @Test func magnifiedPixelsAreSquares() {
        #expect(reds(grey([[1, 2]]).magnified(2)) == [[1, 1, 2, 2], [1, 1, 2, 2]])
    }

    @Test func sizesKeepTheShape() {
        for (width, height, expected) in [(854, 480, (320, 180)), (480, 854, (180, 320)), (1000, 1, (320, 1)), (32, 24, (320, 240))] {
            let fitted = RGBImage(width: width, height: height, color: .white).fitted(320)
            #expect((fitted.width, fitted.height) == expected)
        }
    }

    @Test func labelsAreTakenFromTheNearestCentre() {
        let labels = IndexImage(width: 4, height: 1, indices: [1, 2, 3, 4])
        #expect(labels.resized(width: 2, height: 1).indices == [2, 4])
        #expect(IndexImage(width: 2, height: 1, indices: [1, 2]).resized(width: 4, height: 2).indices == [1, 1, 2, 2, 1, 1, 2, 2])
    }
}
