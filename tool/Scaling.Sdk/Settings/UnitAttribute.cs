// The unit of a setting.
namespace Scaling.Sdk;

/// <summary>The unit in which a bare number of this setting is read, for example <c>tokens</c>. It stands in the schema and in help.</summary>
/// <param name="unit">A word or two.</param>
[AttributeUsage(AttributeTargets.Property)]
public sealed class UnitAttribute(string unit) : Attribute
{
    /// <summary>A word or two.</summary>
    public string Unit { get; } = unit;
}
