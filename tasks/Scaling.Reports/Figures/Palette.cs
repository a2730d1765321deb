// Colours that readers with any kind of colour vision tell apart, and marks that tell them apart again in grey.
namespace Scaling.Reports;

/// <summary>The palette of Okabe and Ito (2008, "Color Universal Design"), as <c>#rrggbb</c>, its pale colours darkened to a contrast of 3 on white (WCAG 1.4.11); yellow is left out.</summary>
public static class Palette
{
    /// <summary>Text and axes.</summary>
    public const string Ink = "#222222";

    /// <summary>What stands in the background: candidates that lost, lines of reference.</summary>
    public const string Grey = "#8a8a8a";

    /// <summary>The pale lines of a grid.</summary>
    public const string Grid = "#e4e4e4";

    /// <summary>A cloud of points behind those that matter.</summary>
    public const string Pale = "#949494";

    /// <summary>What is drawn on.</summary>
    public const string Ground = "#ffffff";

    /// <summary>Blue.</summary>
    public const string Blue = "#0072b2";

    /// <summary>Vermilion.</summary>
    public const string Vermilion = "#d55e00";

    /// <summary>Bluish green.</summary>
    public const string Green = "#008f68";

    private const string Purple = "#b8579a";
    private const string Orange = "#b37700";
    private const string Sky = "#2f8cc4";

    /// <summary>Groups take these in order.</summary>
    public static readonly IReadOnlyList<string> Groups = [Blue, Vermilion, Green, Purple, Orange, Sky, Ink];

    /// <summary>What the style sheet of a page calls each colour, so that it can be another on a dark ground.</summary>
    internal static readonly IReadOnlyDictionary<string, string> Names = new Dictionary<string, string>
    {
        [Ink] = "ink", [Grey] = "grey", [Grid] = "grid", [Pale] = "pale", [Ground] = "ground", [Blue] = "blue", [Vermilion] = "vermilion", [Green] = "green",
        [Purple] = "purple", [Orange] = "orange", [Sky] = "sky",
    };

    /// <summary>Subgroups take these in order.</summary>
    public static readonly IReadOnlyList<Mark> Marks = [Mark.Circle, Mark.Triangle, Mark.Square, Mark.Diamond, Mark.Cross];

    /// <summary>Colour of the group at a position; colours repeat after the seventh.</summary>
    /// <param name="position">From 0.</param>
    public static string Group(int position) => Groups[position % Groups.Count];

    /// <summary>Mark of the subgroup at a position; marks repeat after the fifth.</summary>
    /// <param name="position">From 0.</param>
    public static Mark Subgroup(int position) => Marks[position % Marks.Count];
}
