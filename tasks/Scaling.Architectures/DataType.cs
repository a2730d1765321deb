// In what numbers weights and cached keys and values are kept.
using System.Diagnostics.CodeAnalysis;

namespace Scaling.Architectures;

/// <summary>A number's format. In JSON and YAML <c>float32</c>, <c>bfloat16</c>, <c>fp8</c>.</summary>
public enum DataType
{
    /// <summary>IEEE 754 single, four bytes.</summary>
    [SuppressMessage("Naming", "CA1720", Justification = "The word of the setting.")]
    Float32,

    /// <summary>The upper half of a float32, two bytes.</summary>
    Bfloat16,

    /// <summary>One byte, E4M3 or E5M2 (arXiv 2209.05433); scales are not counted.</summary>
    Fp8,
}

/// <summary>What a format takes.</summary>
public static class DataTypeSize
{
    /// <summary>Bytes of a number: 4, 2 or 1.</summary>
    /// <param name="type">Any.</param>
    public static int Bytes(this DataType type) => type switch { DataType.Float32 => 4, DataType.Bfloat16 => 2, _ => 1 };
}
