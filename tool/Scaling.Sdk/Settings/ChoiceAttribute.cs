// What one value of a setting means, where it takes a few words only.
namespace Scaling.Sdk;

/// <summary>
/// Says what a value of a setting means, for editors and the stage's page. For settings of an enum or of <see cref="System.ComponentModel.DataAnnotations.AllowedValuesAttribute"/>, and lists
/// of them; values may be left without a meaning.
/// </summary>
/// <param name="value">As YAML writes it, for example <c>warmup-stable-decay</c>. <see cref="SettingsSchema.Of"/> throws where the setting takes no such value.</param>
/// <param name="meaning">Half a sentence, without a full stop.</param>
[AttributeUsage(AttributeTargets.Property, AllowMultiple = true)]
public sealed class ChoiceAttribute(string value, string meaning) : Attribute
{
    /// <summary>As YAML writes it.</summary>
    public string Value => value;

    /// <summary>Half a sentence, without a full stop.</summary>
    public string Meaning => meaning;
}
