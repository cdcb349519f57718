import { StyleSheet, Text, TextInput, View } from 'react-native';

import { useTheme } from './theme';

interface Props {
  label: string;
  value: string;
  hint: string;
  onChange(value: string): void;
  onSubmit(): void;
}

/** A line of text to fill in, with its name above it. */
export function Field({ label, value, hint, onChange, onSubmit }: Props) {
  const theme = useTheme();
  return (
    <View style={styles.field}>
      <Text style={[styles.label, { color: theme.text }]}>{label}</Text>
      <TextInput
        accessibilityLabel={label}
        accessibilityHint={hint}
        autoCapitalize="none"
        autoComplete="username"
        autoCorrect={false}
        maxLength={32}
        onChangeText={onChange}
        onSubmitEditing={onSubmit}
        returnKeyType="go"
        style={[
          styles.input,
          { color: theme.text, borderColor: theme.edge, backgroundColor: theme.ground },
        ]}
        value={value}
      />
      <Text style={[styles.hint, { color: theme.quiet }]}>{hint}</Text>
    </View>
  );
}

const styles = StyleSheet.create({
  field: { gap: 8 },
  label: { fontSize: 15, fontWeight: '600' },
  input: { minHeight: 52, paddingHorizontal: 16, borderRadius: 14, borderWidth: 1, fontSize: 17 },
  hint: { fontSize: 13, lineHeight: 18 },
});
