// SPDX-License-Identifier: MIT

import Foundation
import Harness

extension Ladder {
    private static let lane = 190
    private static let top = 84
    private static let line = 20

    private var kernel: Int { Self.lane * columns.count + (columns.count == 1 ? 110 : 40) }
    /// Of several threads, the kernel's words name whose they are.
    private var kernelWidth: Int { columns.count == 1 ? 250 : 330 }
    fileprivate var width: Int { kernel + kernelWidth }
    fileprivate var height: Int { drawing.bottom + 20 }

    private var drawing: (body: String, bottom: Int) {
        var marks = ""
        var bands = ""
        var y = Self.top
        var begun: [Int: Int] = [:]  // where the call of a column began
        for moment in moments {
            let row = moment.row
            if moment.isReturn {
                let start = begun.removeValue(forKey: row.column) ?? y
                // The wait ends where the kernel's word of what came stands.
                if row.waiting != nil { bands += band("wait", row, start + 3, y + 8) }
                marks += returning(row, &y)
            } else {
                begun[row.column] = y
                marks += calling(row, &y)
            }
        }
        for row in rows where row.answer == nil && row.waiting != nil {
            bands += band("wait", row, (begun[row.column] ?? y) + 3, y)
        }
        return (bands + marks, y)
    }

    /// The figure as an SVG that stands alone, for light and dark backgrounds.
    package var svg: String {
        let (body, y) = drawing
        let lines = (columns.indices.map { x(of: $0) } + [kernel]).map { x in
            #"<line class="life" x1="\#(x)" y1="64" x2="\#(x)" y2="\#(y)"/>"#
        }
        let heads = columns.enumerated().map { head($1, x(of: $0)) } + [head("Kernel", kernel)]
        return """
            <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(width) \(height)" \
            width="\(width)" height="\(height)" font-family="system-ui, sans-serif" font-size="13">
            <title>\(escape(title))</title>
            <style>
            text { fill: #1f2328 } .faint { fill: #59636e } .life { stroke: #8c959f }
            .arrow { stroke: #1f2328; stroke-width: 1.4 } .tip { fill: #1f2328 }
            .back { fill: #ffffff } .wait { fill: #fff1cc } .copy { fill: #d6e6ff }
            @media (prefers-color-scheme: dark) {
            text { fill: #e6edf3 } .faint { fill: #9198a1 } .life { stroke: #656c76 }
            .arrow { stroke: #e6edf3 } .tip { fill: #e6edf3 } .back { fill: #0d1117 }
            .wait { fill: #4d3800 } .copy { fill: #0c2d6b } }
            </style>
            <rect class="back" width="100%" height="100%"/>
            <text x="16" y="24" font-size="15" font-weight="600">\(escape(title))</text>
            \((heads + lines).joined(separator: "\n"))
            \(body)</svg>

            """
    }

    private func x(of column: Int) -> Int { Self.lane * column + 90 }

    private func head(_ name: String, _ x: Int) -> String {
        #"<text x="\#(x)" y="54" text-anchor="middle" font-weight="600">\#(escape(name))</text>"#
    }

    private func calling(_ row: Row, _ y: inout Int) -> String {
        let app = x(of: row.column)
        var parts = [label(row.call, app + 12, y - 5), arrow(from: app, to: kernel, y)]
        if let waiting = row.waiting {
            let word = row.answer == nil ? "still waiting" : "waiting"
            parts.append(label("\(who(row))\(word): \(waiting)", kernel + 12, y + 18))
            y += 40
        } else if let copying = row.copying {
            parts += [band("copy", row, y + 3, y + 27), label(copying, kernel + 12, y + 19)]
            y += 48
        } else {
            y += 28
        }
        return parts.joined()
    }

    private func returning(_ row: Row, _ y: inout Int) -> String {
        let app = x(of: row.column)
        var parts: [String] = []
        if row.waiting != nil {
            let waited = String(format: " after %.1f ms", row.duration ?? 0)
            parts.append(label(who(row) + (row.ready ?? "over") + waited, kernel + 12, y))
            y += 11
            if let copying = row.copying {
                parts += [band("copy", row, y, y + 24), label(copying, kernel + 12, y + 16)]
                y += 24
            }
            y += 22
        }
        parts += [label(row.answer ?? "", app + 12, y - 5), arrow(from: kernel, to: app, y)]
        if row.more > 0 {
            y += Self.line
            parts.append(label("… " + row.repetition, app + 12, y))
        }
        y += 34
        return parts.joined()
    }

    /// A phase. With one thread it is a band across to the kernel, with several a bar on the thread's line.
    private func band(_ phase: String, _ row: Row, _ from: Int, _ to: Int) -> String {
        let app = x(of: row.column)
        let isWide = columns.count == 1
        let left = isWide ? app : app - 7
        let width = isWide ? kernel - app + kernelWidth - 20 : 14
        return #"<rect class="\#(phase)" x="\#(left)" y="\#(from)" width="\#(width)" "#
            + #"height="\#(max(to - from, 4))" rx="3"/>"# + "\n"
    }

    private func label(_ text: String, _ x: Int, _ y: Int) -> String {
        #"<text x="\#(x)" y="\#(y)">\#(escape(text))</text>"#
    }

    private func arrow(from: Int, to: Int, _ y: Int) -> String {
        let tip = to > from ? -8 : 8
        return #"<line class="arrow" x1="\#(from)" y1="\#(y)" x2="\#(to)" y2="\#(y)"/>"#
            + #"<path class="tip" d="M\#(to) \#(y) l\#(tip) -4 v8 z"/>"#
    }

    private func escape(_ text: String) -> String {
        text.replacingOccurrences(of: "&", with: "&amp;")
            .replacingOccurrences(of: "<", with: "&lt;")
    }
}

/// One SVG with several figures beside each other.
package func sideBySide(_ figures: [Ladder]) -> String {
    if figures.count == 1 { return figures[0].svg }
    var x = 0
    var height = 0
    let parts = figures.map { figure in
        defer { x += figure.width }
        height = max(height, figure.height)
        return figure.svg.replacingOccurrences(of: "<svg ", with: "<svg x=\"\(x)\" ")
    }
    return """
        <svg xmlns="http://www.w3.org/2000/svg" width="\(x)" height="\(height)">
        \(parts.joined())</svg>

        """
}
